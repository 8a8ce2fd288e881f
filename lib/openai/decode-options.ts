/** What a reader does beyond what it must. */
export interface DecodeOptions {
  /** Audio goes into `Facts.media` where the exchange holds it whole (OMNIMETER_KEEP_AUDIO). */
  readonly keepAudio?: boolean | undefined;
}
