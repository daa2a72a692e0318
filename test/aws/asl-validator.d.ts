/** asl-validator comes without types; this is the part in use. Source: its README. */
declare module 'asl-validator' {
  /** Checks a definition against the schemas of the Amazon States Language, and its transitions. */
  function validate(definition: object): { readonly isValid: boolean; readonly errors: readonly unknown[] }
  export = validate
}
