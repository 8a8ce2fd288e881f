CREATE TABLE "media" (
	"call_id" uuid NOT NULL,
	"index" integer NOT NULL,
	"direction" text NOT NULL,
	"media_type" text NOT NULL,
	"bytes" bigint NOT NULL,
	"sealed" "bytea" NOT NULL,
	CONSTRAINT "media_call_id_index_pk" PRIMARY KEY("call_id","index"),
	CONSTRAINT "media_direction" CHECK ("media"."direction" in ('input', 'output'))
) PARTITION BY RANGE ("call_id");
--> statement-breakpoint
CREATE TABLE "sessions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"project_id" text NOT NULL,
	"environment" text NOT NULL,
	"upstream" text NOT NULL,
	"decoder_version" integer NOT NULL,
	"spool" text NOT NULL,
	"kind" text NOT NULL,
	"transport" text NOT NULL,
	"provider_id" text,
	"provider_call_id" text,
	"model" text,
	"feature" text,
	"customer" text,
	"end_user" text,
	"session" text,
	"resumed_from" uuid,
	"release" text,
	"tags" jsonb NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"recorded_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp (3) with time zone,
	"ended_at" timestamp (3) with time zone,
	"end_reason" text,
	"close_code" integer,
	"audio_in_ms" double precision,
	"audio_out_ms" double precision,
	"turns" integer NOT NULL,
	"idle_ms" double precision,
	"tool_calls" integer NOT NULL,
	"barge_ins" integer NOT NULL,
	"false_barge_ins" integer NOT NULL,
	"wasted_ms" double precision NOT NULL,
	"wasted_usd" numeric,
	"errors" integer NOT NULL,
	"rate_limits" jsonb NOT NULL,
	"rate_limit_events" integer NOT NULL,
	"client_bytes" bigint NOT NULL,
	"server_bytes" bigint NOT NULL,
	"client_messages" bigint NOT NULL,
	"server_messages" bigint NOT NULL,
	"problems" text[] NOT NULL,
	CONSTRAINT "sessions_kind" CHECK ("sessions"."kind" in ('realtime', 'transcription', 'translation', 'responses', 'other')),
	CONSTRAINT "sessions_transport" CHECK ("sessions"."transport" in ('websocket', 'side_channel')),
	CONSTRAINT "sessions_end" CHECK ("sessions"."end_reason" in ('client_closed', 'server_closed', 'expired', 'reset', 'stopped', 'interrupted'))
) PARTITION BY RANGE ("id");
--> statement-breakpoint
CREATE TABLE "turns" (
	"session_id" uuid NOT NULL,
	"index" integer NOT NULL,
	"call_id" uuid,
	"kind" text NOT NULL,
	"input_start_ms" double precision,
	"input_end_ms" double precision,
	"created_ms" double precision,
	"first_text_ms" double precision,
	"first_audio_ms" double precision,
	"done_ms" double precision,
	"latency_ms" double precision,
	"tool_calls" integer NOT NULL,
	"model_ms" double precision,
	"tool_ms" double precision,
	"audio_ms" double precision,
	"generation_ms" double precision,
	"barge_in" text,
	"barge_in_ms" double precision,
	"heard_ms" double precision,
	"wasted_ms" double precision,
	"wasted_usd" numeric,
	"reaction_ms" double precision,
	"status" text,
	"reason" text,
	"problems" text[] NOT NULL,
	CONSTRAINT "turns_session_id_index_pk" PRIMARY KEY("session_id","index"),
	CONSTRAINT "turns_kind" CHECK ("turns"."kind" in ('server_vad', 'semantic_vad', 'push_to_talk', 'text', 'tool', 'idle', 'unknown')),
	CONSTRAINT "turns_barge_in" CHECK ("turns"."barge_in" in ('confirmed', 'false')),
	CONSTRAINT "turns_heard_and_wasted" CHECK ("turns"."heard_ms" >= 0 and "turns"."wasted_ms" >= 0)
) PARTITION BY RANGE ("session_id");
--> statement-breakpoint
CREATE TABLE "price_terms" (
	"id" uuid PRIMARY KEY NOT NULL,
	"project_id" text NOT NULL,
	"models" text NOT NULL,
	"upstream" text,
	"factor" numeric NOT NULL,
	"effective_from" date NOT NULL,
	"note" text NOT NULL,
	"added_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "price_terms_factor" CHECK ("price_terms"."factor" >= 0 and "price_terms"."factor" <= 100)
);
--> statement-breakpoint
CREATE TABLE "rerates" (
	"id" uuid PRIMARY KEY NOT NULL,
	"project_id" text NOT NULL,
	"from_day" date NOT NULL,
	"to_day" date NOT NULL,
	"started_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp (3) with time zone,
	"calls" integer DEFAULT 0 NOT NULL,
	"lines_changed" integer DEFAULT 0 NOT NULL,
	"cost_before_usd" numeric,
	"cost_after_usd" numeric,
	"report" jsonb NOT NULL
);
--> statement-breakpoint
-- What costs money beside a model's tokens are lines too from now on: the checks let more in than they did, so that no row there can break them.
ALTER TABLE "usage_lines" DROP CONSTRAINT "usage_lines_direction";--> statement-breakpoint
ALTER TABLE "usage_lines" DROP CONSTRAINT "usage_lines_modality";--> statement-breakpoint
ALTER TABLE "usage_lines" DROP CONSTRAINT "usage_lines_cache";--> statement-breakpoint
ALTER TABLE "calls" ADD COLUMN "parent_id" uuid;--> statement-breakpoint
ALTER TABLE "calls" ADD COLUMN "region" text;--> statement-breakpoint
ALTER TABLE "calls" ADD COLUMN "input_audio_ms" double precision;--> statement-breakpoint
ALTER TABLE "calls" ADD COLUMN "output_audio_ms" double precision;--> statement-breakpoint
ALTER TABLE "calls" ADD COLUMN "stalls" integer;--> statement-breakpoint
ALTER TABLE "calls" ADD COLUMN "cached_text_tokens" bigint;--> statement-breakpoint
ALTER TABLE "calls" ADD COLUMN "cached_audio_tokens" bigint;--> statement-breakpoint
ALTER TABLE "calls" ADD COLUMN "cached_image_tokens" bigint;--> statement-breakpoint
ALTER TABLE "calls" ADD COLUMN "duration_seconds" numeric;--> statement-breakpoint
ALTER TABLE "prices" ADD COLUMN "origin" text;--> statement-breakpoint
ALTER TABLE "prices" ADD COLUMN "added_at" timestamp (3) with time zone DEFAULT now();--> statement-breakpoint
ALTER TABLE "usage_lines" ADD COLUMN "product" text;--> statement-breakpoint
ALTER TABLE "rollup_spend" ADD COLUMN "fees_usd" numeric DEFAULT '0' NOT NULL;--> statement-breakpoint
ALTER TABLE "rollup_spend_days" ADD COLUMN "fees_usd" numeric DEFAULT '0' NOT NULL;--> statement-breakpoint
ALTER TABLE "rollup_spend_upto" ADD COLUMN "fees_usd" numeric DEFAULT '0' NOT NULL;--> statement-breakpoint
CREATE INDEX "sessions_named" ON "sessions" USING btree ("session","id") WHERE "sessions"."session" is not null;--> statement-breakpoint
CREATE INDEX "turns_call" ON "turns" USING btree ("call_id") WHERE "turns"."call_id" is not null;--> statement-breakpoint
CREATE INDEX "price_terms_from" ON "price_terms" USING btree ("project_id","effective_from");--> statement-breakpoint
CREATE INDEX "rerates_started" ON "rerates" USING btree ("project_id","started_at");--> statement-breakpoint
-- Columns without their table: partitions get the checks too, and are tables of other names.
ALTER TABLE "calls" ADD CONSTRAINT "calls_input_parts" CHECK (coalesce("input_text_tokens", 0) + coalesce("input_audio_tokens", 0) + coalesce("input_image_tokens", 0) <= "input_tokens") NOT VALID;--> statement-breakpoint
ALTER TABLE "calls" ADD CONSTRAINT "calls_output_parts" CHECK (coalesce("output_text_tokens", 0) + coalesce("output_audio_tokens", 0) + coalesce("output_image_tokens", 0) <= "output_tokens") NOT VALID;--> statement-breakpoint
ALTER TABLE "calls" ADD CONSTRAINT "calls_cached_parts" CHECK (coalesce("cached_text_tokens", 0) + coalesce("cached_audio_tokens", 0) + coalesce("cached_image_tokens", 0) <= "cached_tokens") NOT VALID;--> statement-breakpoint
ALTER TABLE "calls" ADD CONSTRAINT "calls_reasoning_inside_output" CHECK ("reasoning_tokens" <= "output_tokens") NOT VALID;--> statement-breakpoint
ALTER TABLE "usage_lines" ADD CONSTRAINT "usage_lines_direction" CHECK ("direction" in ('input', 'output', 'tool')) NOT VALID;--> statement-breakpoint
ALTER TABLE "usage_lines" ADD CONSTRAINT "usage_lines_modality" CHECK ("modality" in ('text', 'image', 'audio', 'none')) NOT VALID;--> statement-breakpoint
ALTER TABLE "usage_lines" ADD CONSTRAINT "usage_lines_cache" CHECK ("cache" in ('none', 'read', 'write', 'write_30m', 'write_12h')) NOT VALID;--> statement-breakpoint
-- Lines that do not come to what the call states are an error of whoever wrote them: nothing is stored then. Reversals and what takes their
-- place come in one statement; what has no lines, or had all of them reversed, is a call whose usage contradicts itself.
-- No join: of arrays Postgres expects ten elements, and would look at every pair. The range leaves other partitions alone, also in a plan for any ids.
CREATE FUNCTION "usage_lines_fit"() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  ids uuid[] := array(SELECT DISTINCT call_id FROM added ORDER BY call_id);
  first_id uuid := ids[1];
  last_id uuid := ids[cardinality(ids)];
  wrong uuid;
BEGIN
  SELECT id INTO wrong
  FROM (
    SELECT call_id AS id, direction, quantity, NULL::bigint AS input_tokens, NULL::bigint AS output_tokens, NULL::boolean AS is_reported
    FROM usage_lines
    WHERE call_id = ANY (ids) AND call_id BETWEEN first_id AND last_id AND unit = 'token' AND direction <> 'tool'
    UNION ALL
    SELECT id, NULL, NULL, input_tokens, output_tokens, true
    FROM calls WHERE id = ANY (ids) AND id BETWEEN first_id AND last_id AND usage_source = 'reported'
  ) part
  GROUP BY id
  HAVING bool_or(is_reported)
    -- A usage that nobody could divide has no lines; where there are some, they are all there are.
    AND (coalesce(sum(quantity) FILTER (WHERE direction = 'input'), 0) <> 0 OR coalesce(sum(quantity) FILTER (WHERE direction = 'output'), 0) <> 0)
    AND (
      coalesce(sum(quantity) FILTER (WHERE direction = 'input'), 0) <> coalesce(max(input_tokens), 0)
      OR coalesce(sum(quantity) FILTER (WHERE direction = 'output'), 0) <> coalesce(max(output_tokens), 0)
    )
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'the lines of call % do not sum to its usage', wrong USING ERRCODE = 'check_violation', CONSTRAINT = 'usage_lines_fit';
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER "usage_lines_fit" AFTER INSERT ON "usage_lines" REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION "usage_lines_fit"();
