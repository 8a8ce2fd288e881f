import { drawCustomer } from "./customers.ts";
import { busyness, FEATURES, type Feature, type ModelChoice } from "./features.ts";
import type { Ids } from "./ids.ts";
import { DAY_MS } from "./moments.ts";
import { drawPace } from "./pace.ts";
import { type Random, weighted } from "./random.ts";
import { type Script, scriptsOf } from "./scripts.ts";
import { createSessions } from "./sessions.ts";
import { TEMPLATES, type Template, type Version } from "./templates.ts";
import type { Ending, Turn, Whose } from "./turn.ts";
import { drawUsed } from "./used.ts";
import { contentDeltas } from "./wire.ts";

/** What is settled before anything is drawn. */
export interface Given {
  readonly ms: number;
  readonly feature?: string;
  readonly model?: ModelChoice;
  /** Ends well whatever chance says. */
  readonly completes?: boolean;
  /** Tries this call again. */
  readonly again?: Turn;
}

export interface TurnOptions {
  readonly random: Random;
  readonly ids: Ids;
  readonly fromMs: number;
  readonly untilMs: number;
  /** While the upstream of the voice is slow. */
  readonly spike: { readonly fromMs: number; readonly toMs: number };
}

/** The snapshot that gets slow, and by how much. */
export const SLOW_SNAPSHOT = "gpt-audio-2025-08-28";
const SLOWNESS = 4.5;
/** Of calls that end well: their client did not wait for them, and asked once more. */
const HEDGED_SHARE = 0.003;

/** Decides calls one after the other, in the order of their start. */
export function createTurns({ random, ids, fromMs, untilMs, spike }: TurnOptions): (given: Given) => Turn {
  const drawFeature = featureDrawer();
  const drawTemplate = perFeature((feature) =>
    weighted(
      TEMPLATES.filter((template) => template.feature === feature.name),
      ({ weight }) => weight,
    ),
  );
  const sessions = createSessions(random, ids);
  const tagsOf = createTags();
  const progressAt = (ms: number) => Math.min(1, (ms - fromMs) / (untilMs - fromMs));

  return (given) => (given.again ? again(given.again, given.ms) : fresh(given));

  function fresh({ ms, feature: name, model, completes }: Given): Turn {
    const feature = FEATURES.find((one) => one.name === name) ?? drawFeature(random, ms);
    const daysLeft = (untilMs - ms) / DAY_MS;
    const template = drawTemplate(feature)(random);
    const script = random.pick(scriptsOf(template));
    const { asked, served } = model ?? drawModel(random, feature, daysLeft);
    const { whose, turnsBefore } = whoFor(feature, ms);
    const ending = completes ? COMPLETED : drawEnding(random, script);
    const progress = progressAt(ms);
    const drawn = drawUsed(random, script, { served, turnsBefore, progress });
    const id = ids.call(ms);
    const fails = ending.kind === "rate_limited" || ending.kind === "server_error";
    const isHedged = ending.kind === "completed" && !completes && random.chance(HEDGED_SHARE);
    return {
      id,
      startedAt: ms,
      script,
      version: versionAt(template, daysLeft),
      asked,
      served,
      streamed: template.streamed,
      ending,
      operationId: fails || isHedged ? ids.at(ms) : null,
      attempt: 0,
      whose,
      used: ending.kind === "completed" ? drawn : null,
      pace: drawPace(random, {
        served,
        streamed: template.streamed,
        input: drawn.input,
        output: fails ? 0 : drawn.output,
        chunks: chunkCount(script),
        slowness: fails ? 0.2 : slownessAt(served, ms),
      }),
      requestId: ids.opaque("req_", 32),
      responseId: ids.response(ms),
      toolCallId: ids.opaque("call_", 24),
    };
  }

  /** The same once more: what failed has better luck, what was slow has an answer twice. */
  function again(turn: Turn, ms: number): Turn {
    const { script, served, streamed } = turn;
    const progress = progressAt(ms);
    const used = drawUsed(random, script, { served, turnsBefore: 0, progress });
    const work = { served, streamed, input: used.input, output: used.output, chunks: chunkCount(script) };
    return {
      ...turn,
      id: ids.call(ms),
      startedAt: ms,
      ending: COMPLETED,
      attempt: turn.attempt + 1,
      used,
      pace: drawPace(random, { ...work, slowness: slownessAt(served, ms) }),
      requestId: ids.opaque("req_", 32),
      responseId: ids.response(ms),
      toolCallId: ids.opaque("call_", 24),
    };
  }

  function slownessAt(served: string, ms: number): number {
    if (served === SLOW_SNAPSHOT && ms >= spike.fromMs && ms < spike.toMs) return SLOWNESS;
    return 1 + 0.2 * busyness(OFFICE_HOURS, ms);
  }

  function whoFor(feature: Feature, ms: number): { whose: Whose; turnsBefore: number } {
    const session = sessions.join(feature, ms);
    const isInternal = feature.name === null || feature.rhythm === "night";
    const customer = isInternal ? null : (session?.customer ?? drawCustomer(random));
    const isTried = feature.rhythm === "office" && session === null && random.chance(0.05);
    return {
      whose: {
        feature: feature.name,
        customer: customer?.name ?? null,
        user: session?.user ?? (customer ? `u-${random.below(40) + 1}` : null),
        session: session?.id ?? null,
        release: `r${Math.floor(ms / (4 * DAY_MS)) - 5000}`,
        environment: isTried ? "staging" : "production",
        tags: tagsOf(feature, customer?.plan, customer?.region),
      },
      turnsBefore: session?.turnsBefore ?? 0,
    };
  }
}

const COMPLETED: Ending = { kind: "completed" };
const OFFICE_HOURS = FEATURES[0] as Feature;

function drawEnding(random: Random, script: Script): Ending {
  const luck = random.next();
  if (luck < 0.01) return { kind: "rate_limited" };
  if (luck < 0.014) return { kind: "server_error" };
  const chunks = chunkCount(script);
  if (luck > 0.0305 || !script.template.streamed || chunks < 3) return COMPLETED;
  const seen = random.pick([2, Math.ceil(chunks / 3), chunks - 1]);
  return luck < 0.03 ? { kind: "client_aborted", seen } : { kind: "interrupted", seen };
}

const counts = new WeakMap<Script, number>();
function chunkCount(script: Script): number {
  const count = counts.get(script) ?? contentDeltas({ script, toolCallId: "" }).length;
  counts.set(script, count);
  return count;
}

function drawModel(random: Random, { models }: Feature, daysLeft: number): ModelChoice {
  const choices = models.filter(({ from = Infinity, to = -Infinity }) => daysLeft <= from && daysLeft > to);
  return choices.length === 1 ? (choices[0] as ModelChoice) : weighted(choices, ({ weight }) => weight)(random);
}

/** Versions are written oldest first. */
function versionAt({ versions }: Template, daysLeft: number): Version {
  return versions.findLast(({ from }) => daysLeft <= from) ?? (versions[0] as Version);
}

/** Features as busy as they are in each quarter of an hour of the week. */
function featureDrawer(): (random: Random, ms: number) => Feature {
  const QUARTER_MS = 900_000;
  const QUARTERS = 7 * 96;
  const drawers: ((random: Random) => Feature)[] = [];
  return (random, ms) => {
    const quarter = Math.floor(ms / QUARTER_MS);
    const draw =
      drawers[quarter % QUARTERS] ??
      weighted(FEATURES, (feature) => feature.share * busyness(feature, quarter * QUARTER_MS));
    drawers[quarter % QUARTERS] = draw;
    return draw(random);
  };
}

function perFeature<T>(make: (feature: Feature) => T): (feature: Feature) => T {
  const all = new Map(FEATURES.map((feature) => [feature, make(feature)]));
  return (feature) => all.get(feature) as T;
}

/** One value per combination: they are many times as many as they are different. */
function createTags() {
  const made = new Map<string, Readonly<Record<string, string>>>();
  return (feature: Feature, plan?: string, region?: string) => {
    const key = `${feature.name} ${plan} ${region}`;
    const tags = made.get(key) ?? { ...feature.tags, ...(plan && region ? { plan, region } : {}) };
    made.set(key, tags);
    return tags;
  };
}
