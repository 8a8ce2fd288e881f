/** Why Omnimeter cannot start: a sentence that says what to do. */
export class StartError extends Error {
  readonly code: "already_running" | "data_dir_not_writable" | "port_unusable" | "build_failed" | "part_failed";

  constructor(code: StartError["code"], sentence: string) {
    super(sentence);
    this.name = "StartError";
    this.code = code;
  }
}
