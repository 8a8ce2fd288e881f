import type { UsageLine } from "#lib/call.ts";
import type { Exchange } from "#lib/exchange.ts";
import type { Bodies } from "../bodies/body.ts";
import { asText } from "../bodies/json.ts";
import type { ChildFacts, Facts } from "../facts.ts";
import { noFacts } from "../no-facts.ts";
import { readPlain } from "../plain.ts";
import { childOf, secondsToMs } from "./child.ts";
import { idTimeMs } from "./id-time.ts";

/** Containers: to make one opens a session that has a fee; to read, list or delete costs nothing. */
export function readContainer(exchange: Exchange, bodies: Bodies): Facts {
  const facts = readPlain(exchange, bodies);
  const { response } = bodies;
  const made = response.kind === "json" && response.value.object === "container" ? response.value : null;
  const id = asText(made?.id);
  if (exchange.start.method !== "POST" || made === null || id === null) return facts;
  const atMs = secondsToMs(made.created_at) ?? exchange.start.startedAtMs;
  const memory = made.memory_limit ?? bodies.request?.memory_limit;
  facts.children = [containerSession(id, memory, { inherits: id, atMs })];
  return facts;
}

interface ContainerUse {
  /** The object whose call says for whom it was. */
  inherits: string | null;
  /** Milliseconds since the epoch. */
  atMs: number;
}

/**
 * A session of twenty minutes in a container, a call of its own: whoever uses the same container within the same twenty minutes, in
 * whatever response, derives the same call, which is stored once. Minutes count from when the container was made, as its id says.
 */
export function containerSession(id: string, memory: unknown, { inherits, atMs }: ContainerUse): ChildFacts {
  const madeAtMs = idTimeMs(id, atMs) ?? 0;
  const sessions = Math.max(0, Math.floor((atMs - madeAtMs) / SESSION_MS));
  const startedAtMs = madeAtMs + sessions * SESSION_MS;
  const size = SIZES.find((known) => known === memory) ?? "1g";
  const facts: Facts = {
    ...noFacts(),
    inherits,
    lines: [
      {
        direction: "tool",
        modality: "none",
        cache: "none",
        unit: `container_session_${size}` satisfies UsageLine["unit"],
        product: startedAtMs < SIZES_SINCE_MS ? "tool:code_interpreter" : `tool:container:${size}`,
        quantity: 1,
        source: "measured",
      },
    ],
    problems: size === memory ? [] : ["container_size_assumed"],
  };
  return childOf("containers", [id], startedAtMs, facts);
}

const SESSION_MS = 20 * 60_000;
const SIZES = ["1g", "4g", "16g", "64g"] as const;

/** Until then there was one size, listed under the name of the tool. */
const SIZES_SINCE_MS = Date.UTC(2026, 2, 31);
