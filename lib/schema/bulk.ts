import { z } from 'zod'
import { type CancelRequestInput, cancelRequest, type DispatchRow, type DispatchState } from './api.ts'
import { type SelectorInput, selector } from './selector.ts'

/** Body of `POST /cancellations`. */
export const bulkCancelRequest = cancelRequest
  .omit({ taskIds: true })
  .extend({
    where: selector,
    /** What a dry run has counted: when more are found, nothing is cancelled. */
    expectedCount: z.int().min(0).optional(),
  })
  .superRefine(({ dryRun, expectedCount }, context) => {
    if (dryRun || expectedCount !== undefined) return
    context.addIssue({ code: 'custom', path: ['expectedCount'], message: 'must be the count of a dry run' })
  })

export type BulkOrder = z.output<typeof bulkCancelRequest>

export interface BulkCancelInput extends Omit<CancelRequestInput, 'taskIds'> {
  readonly where: SelectorInput
  readonly expectedCount?: number | undefined
}

/** Answer to `POST /cancellations`: 202, or 200 for a dry run and where nothing was found. */
export interface BulkCancelAnswer {
  /** Absent for a dry run. */
  readonly bulkId?: string
  readonly dryRun: boolean
  /** As it was understood: with the owner filled in. */
  readonly where: string
  readonly count: number
  /** The newest hundred of them. */
  readonly dispatches: readonly DispatchRow[]
}

/** Answer to `GET /cancellations/{id}`: how far it is, and a page of what became of each dispatch, in id order. */
export interface BulkCancellationView {
  readonly bulkId: string
  readonly where: string
  readonly mode: 'graceful' | 'force'
  readonly graceSeconds: number
  readonly reason: string
  readonly actor: string
  readonly source: string
  readonly at: string
  /** `done`: every dispatch has an outcome. Whether their jobs have ended is for `confirmation` to say. */
  readonly state: 'working' | 'done'
  readonly total: number
  readonly done: number
  readonly failed: number
  readonly items: readonly BulkItemView[]
  readonly cursor?: string
}

export interface BulkItemView {
  readonly dispatchId: string
  readonly outcome: 'pending' | 'done' | 'failed'
  readonly cancellationId?: string
  /** What its cancel found. */
  readonly counts?: { readonly stopping: number; readonly abandoned: number; readonly finished: number }
  readonly error?: { readonly code: string; readonly message: string }
  /** Of the dispatch, now. */
  readonly state?: DispatchState
  /** `confirmed`: it has ended, if only to be redriven. `unconfirmed`: it should have by now; its jobs are still being stopped. */
  readonly confirmation: 'none' | 'stopping' | 'unconfirmed' | 'confirmed'
}
