export type StoreErrorCode =
  | "database_unreachable"
  | "database_wrong_password"
  | "database_missing"
  | "database_too_old"
  | "database_newer"
  | "database_not_migrated"
  | "database_half_migrated"
  | "database_no_permission"
  | "database_read_only"
  | "database_busy"
  | "database_refused"
  | "postgres_not_bundled"
  | "postgres_other_major"
  | "postgres_did_not_start";

/** What keeps the store from being used: a stable code, and a sentence that says what to do. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, sentence: string, options?: { cause?: unknown }) {
    super(sentence, options);
    this.name = "StoreError";
    this.code = code;
  }
}
