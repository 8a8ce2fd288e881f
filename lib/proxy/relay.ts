import type { IncomingMessage, ServerResponse } from "node:http";
import type { Dispatcher } from "undici";
import type { ExchangeEnd, ExchangeEnding } from "#lib/exchange.ts";
import { insertIncludeUsage } from "#lib/openai/include-usage.ts";
import { answersSecret, canIncludeUsage, maskQuery } from "#lib/openai/relay.ts";
import { createUsageStripper, type UsageStripper } from "#lib/openai/usage-chunk.ts";
import { FRAME } from "#lib/spool/frames.ts";
import type { Refusal } from "./admit.ts";
import { AnswerBody } from "./answer-body.ts";
import { diagnose, isHangUp, isOurRefusal } from "./diagnose.ts";
import { forChangedBody, readRequestHeaders, readResponseHeaders, withoutHeader } from "./headers.ts";
import { HeldRefusal } from "./held-refusal.ts";
import type { Cut, OpenCall } from "./open-call.ts";
import { answerOwnError } from "./own-error.ts";
import type { RelayContext } from "./relay-context.ts";
import { Tap } from "./tap.ts";
import { withTrace } from "./trace-headers.ts";
import { Upload } from "./upload.ts";
import type { Upstream } from "./upstreams.ts";

/** An upstream that restarts closes all that were idle, and each of them may be the next one. */
const RECONNECTS_MAX = 8;

/**
 * One HTTP call on its way through.
 *
 *   client ── Upload ──► upstream      the start frame is written before the upstream hears of the call
 *   client ◄── hold ◄─── upstream      bytes go out first, then to the tap; the last part waits for the end frame
 *
 * It ends exactly once, in one of five ways: the upstream finished, the upstream broke off, the upstream could not be
 * reached, the client left, the worker cut it. `#finish` is the only door.
 */
export class Relay implements Dispatcher.DispatchHandler, OpenCall {
  readonly #context: RelayContext;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #upstream: Upstream;
  readonly #target: string;
  readonly #startedAt = performance.now();
  readonly #id: string;
  readonly #headers;
  readonly #requestTap: Tap;
  readonly #responseTap: Tap;
  readonly #keepsAnswer: boolean;
  #upload: Upload | null = null;
  #seq = 0;
  #controller: Dispatcher.DispatchController | null = null;
  #finished = false;

  #usageInserted = false;
  /** Sent again without the insertion. When that is answered, the upstream is known to refuse it: a 400 alone may be about something else. */
  #resent = false;
  /** How often it was sent again because the connection that it went out on had been closed. */
  #reconnects = 0;
  #stripper: UsageStripper | null = null;
  /** Body of a 400 that may refuse what was inserted: held until it is known. */
  #refusal: HeldRefusal | null = null;

  /** Null until the head is written. */
  #body: AnswerBody | null = null;
  /** What has arrived in this turn of the loop. */
  #turn: Buffer[] = [];

  #requestEndAt: number | null = null;
  #sentAt: number | null = null;
  /** Set by the connect timer right after onRequestStart, for a call that opened a connection. */
  connectMs: number | null = null;
  #responseEndAt: number | null = null;

  constructor(context: RelayContext, req: IncomingMessage, res: ServerResponse, upstream: Upstream, target: string) {
    this.#context = context;
    this.#req = req;
    this.#res = res;
    this.#upstream = upstream;
    this.#target = target;
    this.#id = context.newId();
    this.#headers = readRequestHeaders(req.rawHeaders, context.fingerprint, context.keepHeadersBytes);
    if (context.traces) this.#headers.forward = withTrace(this.#headers.forward, this.#id);
    this.#keepsAnswer = !answersSecret(target);
    this.#requestTap = new Tap(context.spool, FRAME.requestChunk, context.keepBytes, this.#headers.multipart);
    this.#responseTap = new Tap(context.spool, FRAME.responseChunk, context.keepBytes, true);
  }

  begin(): void {
    const { contentLength, chunked } = this.#headers;
    this.#res.on("close", () => this.#clientLeft());
    this.#record();
    if (contentLength || chunked)
      this.#upload = new Upload(
        this.#req,
        this.#mayInsert() ? this.#context.includeUsageBytes : 0,
        (chunk) => this.#requestTap.chunk(this.#seq, this.#at(), chunk),
        () => {
          this.#requestEndAt = this.#at();
        },
      );
    if (this.#seq === 0) this.#send();
  }

  /** The start frame first, then the upstream. A call that cannot be recorded goes on all the same. */
  #record(): void {
    const { spool, maxCalls, fingerprint } = this.#context;
    if (this.#context.inFlight >= maxCalls) return spool.drop("too_many_calls");
    const start = JSON.stringify({
      id: this.#id,
      kind: "http",
      method: this.#req.method,
      target: maskQuery(this.#req.url as string, fingerprint),
      upstreamTarget: maskQuery(this.#target, fingerprint),
      upstream: this.#upstream.name,
      upstreamOrigin: this.#upstream.origin,
      headers: this.#headers.record,
      headersCut: this.#headers.recordCut || undefined,
      startedAtMs: Date.now(),
    });
    this.#seq = spool.start(start, () => this.#send());
    if (this.#seq) this.#context.inFlight++;
  }

  #mayInsert(): boolean {
    const { json, encoded, contentLength } = this.#headers;
    return (
      this.#context.includeUsage &&
      json &&
      !encoded &&
      !this.#upstream.refusesUsage &&
      (contentLength ?? 0) <= this.#context.includeUsageBytes &&
      canIncludeUsage(this.#req.method as string, this.#target)
    );
  }

  #send(): void {
    if (!this.#upload) return this.#dispatch(null, this.#headers.forward);
    this.#upload.whenReady(() => this.#sendBody(this.#upload as Upload));
  }

  #sendBody(upload: Upload): void {
    if (this.#finished) return;
    const body = upload.whole();
    if (!body) return this.#dispatch(upload.stream(), this.#headers.forward);
    const changed = this.#mayInsert() ? insertIncludeUsage(body) : null;
    if (!changed) return this.#dispatch(body, this.#headers.forward);
    this.#usageInserted = true;
    this.#dispatch(changed, forChangedBody(this.#headers.forward, changed.length));
  }

  #dispatch(body: Dispatcher.DispatchOptions["body"], headers: string[]): void {
    if (this.#finished) return;
    try {
      this.#upstream.pool.dispatch(
        {
          path: this.#upstream.prefix + this.#target,
          method: this.#req.method as Dispatcher.HttpMethod,
          headers,
          body,
        },
        this,
      );
    } catch (error) {
      this.onResponseError(null, error as Error);
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#finished) return controller.abort(new Error("the client hung up"));
    this.#sentAt = this.#at();
    this.#context.connectTimer.sending = this;
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, _headers: unknown, text?: string): void {
    if (status < 200 || this.#finished) return;
    const raw = (controller as unknown as { rawHeaders: (Buffer | string)[] }).rawHeaders;
    if (status === 400 && this.#usageInserted) {
      this.#refusal = new HeldRefusal(raw, status, text);
      return;
    }
    this.#respond(raw, status, text);
  }

  #respond(raw: (Buffer | string)[], status: number, text: string | undefined): void {
    const headers = readResponseHeaders(raw, this.#context.fingerprint, this.#context.keepHeadersBytes);
    if (this.#seq)
      this.#context.spool.head(
        this.#seq,
        this.#at(),
        JSON.stringify({ status, headers: headers.record, headersCut: headers.recordCut || undefined }),
      );
    const bodiless = this.#req.method === "HEAD" || status === 204 || status === 304;
    let length = bodiless ? 0 : headers.contentLength;
    if (this.#usageInserted && status === 200 && headers.eventStream && !headers.encoded) {
      this.#stripper = createUsageStripper();
      // One chunk fewer goes out than comes in.
      if (length !== null) headers.forward = withoutHeader(headers.forward, "content-length");
      length = null;
    }
    headers.forward.push("x-omnimeter-call-id", this.#id);
    this.#res.sendDate = false;
    if (length !== null) headers.forward = withoutHeader(headers.forward, "trailer");
    if (this.#resent && status < 400) this.#upstream.refusesUsage = true;
    this.#context.figures.answered(status);
    this.#res.writeHead(status, isReason(text) ? text : undefined, headers.forward);
    this.#body = new AnswerBody(this.#res, this.#controller as Dispatcher.DispatchController, length);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#finished) return;
    if (this.#refusal) {
      if (!this.#refusal.add(chunk)) this.#replayRefusal();
      return;
    }
    if (this.#turn.push(chunk) === 1) process.nextTick(passTurn, this);
  }

  /** What one read of the upstream's socket brought goes on as one piece: one write, one frame. */
  passTurn(): void {
    if (this.#finished || this.#turn.length === 0) return;
    const bytes = this.#turn.length === 1 ? (this.#turn[0] as Buffer) : Buffer.concat(this.#turn);
    this.#turn = [];
    this.#body?.write(this.#stripper ? this.#stripper.push(bytes) : bytes);
    if (this.#keepsAnswer) this.#responseTap.chunk(this.#seq, this.#at(), bytes);
    else this.#responseTap.bytes += bytes.length;
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    if (this.#finished) return;
    this.#responseEndAt = this.#at();
    if (this.#refusal && this.#settleRefusal(this.#refusal)) return;
    // What has come in this very turn leaves with the end, in one packet. end() uncorks.
    this.#res.socket?.cork();
    this.passTurn();
    const rest = this.#stripper?.flush();
    const rawTrailers = (controller as unknown as { rawTrailers: (Buffer | string)[] | null }).rawTrailers;
    const trailers = rawTrailers?.length ? rawTrailers.map((one) => one.toString("latin1")) : undefined;
    this.#finish("completed", undefined, trailers, () => {
      this.#body?.end(rest, trailers);
      this.#dropUpload();
      this.#countOverhead();
    });
  }

  /** What call_own_ms says of the stored call (drizzle/), and besides what the end frame itself took to be written. */
  #countOverhead(): void {
    const sent = this.#sentAt ?? 0;
    const before = Math.max(0, sent - Math.min(this.#requestEndAt ?? 0, sent) - (this.connectMs ?? 0));
    const after = this.#at() - (this.#responseEndAt ?? 0);
    this.#context.figures.overheadSeconds.add((before + after) / 1000);
  }

  /** The upstream answered before it had read everything: the rest has nowhere to go, but the connection must stay usable. */
  #dropUpload(): void {
    if (this.#upload && !this.#upload.ended) this.#req.resume();
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error & { code?: string }): void {
    if (this.#finished) return;
    this.passTurn();
    // An upload that broke off reaches us through undici, perhaps before the response's own close.
    if (this.#res.destroyed || (this.#req.destroyed && !this.#req.complete)) return this.#clientLeft();
    if (this.#body) return this.#brokeOff(this.#body, error);
    if (this.#mayReconnect(error)) {
      this.#reconnects++;
      this.#controller = null;
      return this.#dispatch(null, this.#headers.forward);
    }
    this.#unreachable(diagnose(error, this.#upstream.origin), error);
  }

  /**
   * A connection that was idle is closed by the upstream while the request is on its way to it. Only what may safely be done
   * twice is sent again, until it went out on a new connection (RFC 9110, section 9.2.2): whether a POST was read before, nobody
   * can tell.
   */
  #mayReconnect(error: Error): boolean {
    const { method } = this.#req;
    const wasIdle = this.#sentAt !== null && this.connectMs === null;
    const mayRepeat = (method === "GET" || method === "HEAD") && !this.#upload;
    return mayRepeat && wasIdle && this.#reconnects < RECONNECTS_MAX && isHangUp(error);
  }

  #brokeOff(body: AnswerBody, error: Error & { code?: string }): void {
    this.#finish("upstream_reset", error.code ?? error.message, undefined, () =>
      body.breakOff(this.#stripper?.flush(), error.code === "ECONNRESET"),
    );
  }

  #unreachable(refusal: Refusal, error: Error & { code?: string }): void {
    const refusedByUs = isOurRefusal(refusal);
    const ending = this.#sentAt !== null && !refusedByUs ? "upstream_reset" : "unreachable";
    const cause = refusedByUs ? refusal.message : (error.code ?? refusal.message);
    this.#finish(ending, cause, undefined, () => this.#refuse(refusal));
  }

  /** Our answer in the place of the upstream's. */
  #refuse({ status, code, message }: Refusal): void {
    this.#res.setHeader("x-omnimeter-call-id", this.#id);
    answerOwnError(this.#context.figures, this.#res, status, code, message);
    this.#dropUpload();
  }

  cut(why: Cut): void {
    if (this.#finished) return;
    this.passTurn();
    this.#finish(why.ending, why.message, undefined, () => {
      if (this.#body) return this.#body.breakOff(this.#stripper?.flush(), false);
      this.#res.shouldKeepAlive = false;
      this.#refuse(why);
    });
    this.#controller?.abort(new Error(why.message));
  }

  #clientLeft(): void {
    if (this.#finished) return;
    this.passTurn();
    this.#finish("client_aborted", "the client closed the connection", undefined, () => {});
    this.#controller?.abort(new Error("the client hung up"));
  }

  #replayRefusal(): void {
    const { raw, status, text, chunks } = this.#refusal as HeldRefusal;
    this.#refusal = null;
    this.#respond(raw, status, text);
    this.#turn = chunks;
    this.passTurn();
  }

  /** True: it was about the insertion, and the call has been sent again as the client wrote it. The one exception to "no retries". */
  #settleRefusal(refusal: HeldRefusal): boolean {
    if (!refusal.refusesUsage()) {
      this.#replayRefusal();
      return false;
    }
    this.#resent = true;
    this.#refusal = null;
    this.#usageInserted = false;
    this.#controller = null;
    this.#responseEndAt = null;
    this.#dispatch((this.#upload as Upload).whole(), this.#headers.forward);
    return true;
  }

  /** The only end: writes the end frame, then lets the last part go. */
  #finish(ending: ExchangeEnding, cause: string | undefined, trailers: string[] | undefined, letGo: () => void): void {
    this.#finished = true;
    this.#context.figures.relayed(this.#requestTap.bytes, this.#responseTap.bytes);
    if (this.#seq === 0) return letGo();
    this.#context.inFlight--;
    this.#requestTap.finish(this.#seq);
    this.#responseTap.finish(this.#seq);
    const at = this.#at();
    const end: ExchangeEnd = {
      ending,
      cause,
      requestEndAtMs: this.#requestEndAt,
      sentAtMs: this.#sentAt,
      connectMs: this.connectMs,
      responseEndAtMs: this.#responseEndAt,
      endAtMs: at,
      requestBytes: this.#requestTap.bytes,
      responseBytes: this.#responseTap.bytes,
      usageInserted: this.#usageInserted || undefined,
      trailers,
    };
    this.#context.spool.end(this.#seq, at, JSON.stringify(end), letGo);
  }

  #at(): number {
    return performance.now() - this.#startedAt;
  }
}

const passTurn = (relay: Relay): void => relay.passTurn();

/** undici reads the reason as UTF-8, Node writes Latin-1 and throws on anything else. */
const isReason = (text: string | undefined): text is string => !!text && /^[\t\x20-\x7e]+$/.test(text);
