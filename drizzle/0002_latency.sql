-- A duration's bin: 36 to each doubling, so a bin is 1.94 % wide and its middle is right to 1 %. A quarter of a doubling is 9 bins.
-- A logarithm is rounded: what is added keeps 64 ms and some more edges from falling below themselves.
-- Not STRICT, so that it is inlined: called for every value it would take longer than all the rest.
CREATE FUNCTION "latency_bin"("ms" double precision) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  select case when "ms" is not null
    then floor(ln(least(greatest("ms", 0.001::double precision), 1e9::double precision)) * (36 / ln(2.0::double precision)) + 1e-10::double precision)::smallint
  end
$$;--> statement-breakpoint
-- How many durations fell into each bin: bins in ascending order, counts beside them, never 0.
CREATE TYPE "histogram" AS ("bins" smallint[], "counts" integer[]);--> statement-breakpoint
-- a + sign * b: with -1 it takes out what was added before.
CREATE FUNCTION "histogram_add"("a" "histogram", "b" "histogram", "sign" integer DEFAULT 1) RETURNS "histogram" LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  select row(coalesce(array_agg(bin order by bin), '{}'), coalesce(array_agg(n order by bin), '{}'))::"histogram"
  from (
    select bin, sum(n)::integer as n
    from (
      select bin, n from unnest(("a").bins, ("a").counts) as one (bin, n)
      union all
      select bin, "sign" * n from unnest(("b").bins, ("b").counts) as one (bin, n)
    ) both_of_them
    group by bin having sum(n) <> 0
  ) added
$$;--> statement-breakpoint
-- What a call was about, for its latency: audio and images take their own time. NULL: nothing known went in or came out.
CREATE FUNCTION "call_modality"("input" text[], "output" text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  select case
    when 'audio' = any("input") or 'audio' = any("output") then 'audio'
    when 'image' = any("input") or 'image' = any("output") then 'image'
    when 'text' = any("input") or 'text' = any("output") then 'text'
  end
$$;--> statement-breakpoint
-- Whose time a call took, in milliseconds. The client's: until its request was here, as far as that was waited for. Ours: from there until
-- it went upstream, without setting up a connection to there, and from the upstream's last byte until the client had it. The rest is the
-- upstream's, so that the three sum to the duration.
CREATE FUNCTION "call_client_ms"("request_end_ms" double precision, "sent_ms" double precision) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  select least(coalesce("request_end_ms", 0), "sent_ms")
$$;--> statement-breakpoint
CREATE FUNCTION "call_own_ms"("request_end_ms" double precision, "connect_ms" double precision, "sent_ms" double precision, "response_end_ms" double precision, "duration_ms" double precision) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  select greatest("sent_ms" - least(coalesce("request_end_ms", 0), "sent_ms") - coalesce("connect_ms", 0), 0) + greatest("duration_ms" - "response_end_ms", 0)
$$;--> statement-breakpoint
CREATE TABLE "booked_as" (
	"call_id" uuid NOT NULL,
	"correction" smallint NOT NULL,
	"booked_on" date NOT NULL,
	"environment" text NOT NULL,
	"feature" text,
	"customer" text,
	"template" text,
	"template_version" text,
	"unit_hash" text,
	"model" text,
	"failed" smallint NOT NULL,
	"unpriced" smallint NOT NULL,
	"without_usage" smallint NOT NULL,
	CONSTRAINT "booked_as_call_id_correction_pk" PRIMARY KEY("call_id","correction")
);
--> statement-breakpoint
CREATE TABLE "rollup_latency" (
	"project_id" text NOT NULL,
	"bucket" timestamp (3) with time zone NOT NULL,
	"writer" text NOT NULL,
	"environment" text NOT NULL,
	"feature" text NOT NULL,
	"model" text NOT NULL,
	"endpoint" text NOT NULL,
	"modality" text NOT NULL,
	"calls" bigint NOT NULL,
	"calls_failed" bigint NOT NULL,
	"calls_timed" bigint NOT NULL,
	"client_us" bigint NOT NULL,
	"own_us" bigint NOT NULL,
	"upstream_us" bigint NOT NULL,
	"pace_tokens" bigint NOT NULL,
	"pace_us" bigint NOT NULL,
	"first_byte" "histogram" NOT NULL,
	"first_token" "histogram" NOT NULL,
	"first_audio" "histogram" NOT NULL,
	"duration" "histogram" NOT NULL,
	"own" "histogram" NOT NULL,
	CONSTRAINT "rollup_latency_pk" PRIMARY KEY("project_id","bucket","writer","environment","feature","model","endpoint","modality")
);
--> statement-breakpoint
CREATE TABLE "alert_rules" (
	"id" uuid PRIMARY KEY NOT NULL,
	"project_id" text NOT NULL,
	"measure" text NOT NULL,
	"scope" jsonb NOT NULL,
	"threshold" double precision NOT NULL,
	"window_minutes" integer NOT NULL,
	"enabled" boolean NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"checked_at" timestamp (3) with time zone,
	"last_value" double precision,
	"last_calls" integer,
	"problem" text,
	CONSTRAINT "alert_rules_measure" CHECK ("alert_rules"."measure" in ('p95_first_token', 'p95_first_audio', 'p95_duration', 'error_rate', 'spend_per_day', 'data_lag', 'unpriced_calls')),
	CONSTRAINT "alert_rules_threshold" CHECK ("alert_rules"."threshold" >= 0),
	CONSTRAINT "alert_rules_window" CHECK ("alert_rules"."window_minutes" between 1 and 10080)
);
--> statement-breakpoint
CREATE TABLE "alerts" (
	"id" uuid PRIMARY KEY NOT NULL,
	"project_id" text NOT NULL,
	"rule_id" uuid NOT NULL,
	"measure" text NOT NULL,
	"scope" jsonb NOT NULL,
	"threshold" double precision NOT NULL,
	"window_minutes" integer NOT NULL,
	"opened_at" timestamp (3) with time zone NOT NULL,
	"closed_at" timestamp (3) with time zone,
	"last_value" double precision NOT NULL,
	"worst_value" double precision NOT NULL,
	"calls" integer
);
--> statement-breakpoint
CREATE INDEX "booked_as_late" ON "booked_as" USING btree ("booked_on");--> statement-breakpoint
CREATE INDEX "alerts_open" ON "alerts" USING btree ("project_id","opened_at" DESC NULLS LAST);--> statement-breakpoint
CREATE UNIQUE INDEX "alerts_rule_open" ON "alerts" USING btree ("rule_id") WHERE "alerts"."closed_at" is null;