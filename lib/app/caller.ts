/** Who asks. Only the owner of a dispatch, or an admin, may see or cancel it. */
export interface Caller {
  readonly id: string
  readonly isAdmin: boolean
}
