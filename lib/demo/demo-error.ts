/** What is wrong with what was asked for, as a sentence with what to do. */
export class DemoError extends Error {
  readonly code: string;

  constructor(code: string, sentence: string) {
    super(sentence);
    this.name = "DemoError";
    this.code = code;
  }
}
