-- The millisecond inside a UUIDv7, and the lowest UUIDv7 of a millisecond: PostgreSQL 15 has neither.
CREATE FUNCTION "uuid7_time"("id" uuid) RETURNS timestamptz LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  select to_timestamp(('x' || lpad(left(replace("id"::text, '-', ''), 12), 16, '0'))::bit(64)::bigint / 1000.0)
$$;--> statement-breakpoint
CREATE FUNCTION "uuid7_floor"("at" timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  select (lpad(to_hex(floor(extract(epoch from "at") * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid
$$;--> statement-breakpoint
CREATE TABLE "calls" (
	"id" uuid PRIMARY KEY NOT NULL,
	"project_id" text NOT NULL,
	"environment" text NOT NULL,
	"operation_id" uuid NOT NULL,
	"attempt" smallint NOT NULL,
	"upstream" text NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"recorded_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"decoder_version" integer NOT NULL,
	"spool" text NOT NULL,
	"run" text NOT NULL,
	"seq" bigint NOT NULL,
	"endpoint" text NOT NULL,
	"method" text NOT NULL,
	"path" text NOT NULL,
	"streamed" boolean NOT NULL,
	"request_model" text,
	"model" text,
	"request_service_tier" text,
	"service_tier" text,
	"system_fingerprint" text,
	"feature" text,
	"customer" text,
	"end_user" text,
	"session" text,
	"template" text,
	"template_version" text,
	"release" text,
	"tags" jsonb NOT NULL,
	"unit_hash" text,
	"template_leaf" bigint,
	"outcome" text NOT NULL,
	"status" smallint,
	"error_type" text,
	"error_code" text,
	"error_message" text,
	"finish_reasons" text[] NOT NULL,
	"response_id" text,
	"previous_response_id" text,
	"conversation_id" text,
	"prompt_cache_key" text,
	"upstream_request_id" text,
	"client_request_id" text,
	"trace_id" text,
	"parent_span_id" text,
	"input_modalities" text[] NOT NULL,
	"output_modalities" text[] NOT NULL,
	"request_end_ms" double precision,
	"sent_ms" double precision,
	"connect_ms" double precision,
	"first_byte_ms" double precision,
	"first_token_ms" double precision,
	"first_text_ms" double precision,
	"first_audio_ms" double precision,
	"last_token_ms" double precision,
	"response_end_ms" double precision,
	"duration_ms" double precision,
	"longest_gap_ms" double precision,
	"content_chunks" integer NOT NULL,
	"request_bytes" bigint NOT NULL,
	"response_bytes" bigint NOT NULL,
	"cut" boolean NOT NULL,
	"usage_source" text NOT NULL,
	"input_tokens" bigint,
	"output_tokens" bigint,
	"total_tokens" bigint,
	"input_text_tokens" bigint,
	"input_audio_tokens" bigint,
	"input_image_tokens" bigint,
	"cached_tokens" bigint,
	"cache_write_tokens" bigint,
	"output_text_tokens" bigint,
	"output_audio_tokens" bigint,
	"output_image_tokens" bigint,
	"reasoning_tokens" bigint,
	"accepted_prediction_tokens" bigint,
	"rejected_prediction_tokens" bigint,
	"input_tokens_low" bigint,
	"input_tokens_high" bigint,
	"output_tokens_low" bigint,
	"output_tokens_high" bigint,
	"tool_call_count" integer NOT NULL,
	"problems" text[] NOT NULL,
	CONSTRAINT "calls_outcome" CHECK ("calls"."outcome" in ('completed', 'failed', 'client_aborted', 'truncated', 'unreachable', 'interrupted')),
	CONSTRAINT "calls_usage_source" CHECK ("calls"."usage_source" in ('reported', 'estimated', 'measured', 'none')),
	CONSTRAINT "calls_cached_inside_input" CHECK ("calls"."cached_tokens" <= "calls"."input_tokens")
) PARTITION BY RANGE ("id");
--> statement-breakpoint
CREATE TABLE "closed_periods" (
	"project_id" text NOT NULL,
	"month" date NOT NULL,
	"closed_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"closed_by" text,
	CONSTRAINT "closed_periods_project_id_month_pk" PRIMARY KEY("project_id","month")
);
--> statement-breakpoint
CREATE TABLE "feedback" (
	"id" uuid PRIMARY KEY NOT NULL,
	"project_id" text NOT NULL,
	"target_kind" text NOT NULL,
	"target_id" text NOT NULL,
	"item" text,
	"rater" text NOT NULL,
	"received_at" timestamp (3) with time zone NOT NULL,
	"rating" text,
	"score" double precision,
	"comment" text,
	"correction" text,
	"labels" text[] NOT NULL,
	"call_id" uuid,
	"matched_at" timestamp (3) with time zone,
	CONSTRAINT "feedback_target_kind" CHECK ("feedback"."target_kind" in ('call', 'response', 'session')),
	CONSTRAINT "feedback_rating" CHECK ("feedback"."rating" in ('up', 'down'))
);
--> statement-breakpoint
CREATE TABLE "jobs" (
	"name" text PRIMARY KEY NOT NULL,
	"locked_by" text,
	"locked_until" timestamp (3) with time zone,
	"fence" bigint NOT NULL,
	"last_finished_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "payloads" (
	"call_id" uuid PRIMARY KEY NOT NULL,
	"sealed" "bytea" NOT NULL,
	"redactions" jsonb NOT NULL
) PARTITION BY RANGE ("call_id");
--> statement-breakpoint
CREATE TABLE "provider_objects" (
	"project_id" text NOT NULL,
	"upstream" text NOT NULL,
	"object_id" text NOT NULL,
	"call_id" uuid NOT NULL,
	CONSTRAINT "provider_objects_project_id_upstream_object_id_pk" PRIMARY KEY("project_id","upstream","object_id")
);
--> statement-breakpoint
CREATE TABLE "rollup_calls" (
	"project_id" text NOT NULL,
	"bucket" timestamp (3) with time zone NOT NULL,
	"writer" text NOT NULL,
	"environment" text NOT NULL,
	"feature" text NOT NULL,
	"model" text NOT NULL,
	"endpoint" text NOT NULL,
	"outcome" text NOT NULL,
	"calls" bigint NOT NULL,
	"input_tokens" bigint NOT NULL,
	"cached_tokens" bigint NOT NULL,
	"output_tokens" bigint NOT NULL,
	"input_tokens_estimated" bigint NOT NULL,
	"output_tokens_estimated" bigint NOT NULL,
	"calls_without_usage" bigint NOT NULL,
	CONSTRAINT "rollup_calls_project_id_bucket_writer_environment_feature_model_endpoint_outcome_pk" PRIMARY KEY("project_id","bucket","writer","environment","feature","model","endpoint","outcome")
);
--> statement-breakpoint
CREATE TABLE "set_aside" (
	"id" uuid PRIMARY KEY NOT NULL,
	"spool" text NOT NULL,
	"run" text NOT NULL,
	"seq" bigint NOT NULL,
	"reason" text NOT NULL,
	"sealed" "bytea" NOT NULL,
	"set_aside_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "settings" (
	"name" text PRIMARY KEY NOT NULL,
	"value" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "spool_carried" (
	"spool" text NOT NULL,
	"run" text NOT NULL,
	"seq" bigint NOT NULL,
	"sealed" "bytea" NOT NULL,
	CONSTRAINT "spool_carried_spool_run_seq_pk" PRIMARY KEY("spool","run","seq")
);
--> statement-breakpoint
CREATE TABLE "spool_positions" (
	"spool" text PRIMARY KEY NOT NULL,
	"low_segment" bigint NOT NULL,
	"low_offset" bigint NOT NULL,
	"high_segment" bigint NOT NULL,
	"high_offset" bigint NOT NULL,
	"run" text NOT NULL,
	"totals" jsonb NOT NULL,
	"lease" text,
	"leased_until" timestamp (3) with time zone,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "spool_runs" (
	"spool" text NOT NULL,
	"run" text NOT NULL,
	"accepted" bigint NOT NULL,
	"started" bigint NOT NULL,
	"stored" bigint NOT NULL,
	"set_aside" bigint NOT NULL,
	"dropped" jsonb NOT NULL,
	"at_risk" bigint NOT NULL,
	"first_seen_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "spool_runs_spool_run_pk" PRIMARY KEY("spool","run")
);
--> statement-breakpoint
CREATE TABLE "tool_calls" (
	"call_id" uuid NOT NULL,
	"index" integer NOT NULL,
	"choice" integer NOT NULL,
	"tool_call_id" text,
	"type" text NOT NULL,
	"name" text NOT NULL,
	"argument_bytes" integer NOT NULL,
	CONSTRAINT "tool_calls_call_id_index_pk" PRIMARY KEY("call_id","index")
) PARTITION BY RANGE ("call_id");
--> statement-breakpoint
CREATE TABLE "usage_lines" (
	"call_id" uuid NOT NULL,
	"adjustment" smallint NOT NULL,
	"direction" text NOT NULL,
	"modality" text NOT NULL,
	"cache" text NOT NULL,
	"unit" text NOT NULL,
	"quantity" numeric NOT NULL,
	"source" text NOT NULL,
	"booked_on" date NOT NULL,
	"price_id" text,
	"unit_price_usd" numeric,
	"cost_usd" numeric,
	CONSTRAINT "usage_lines_call_id_adjustment_direction_modality_cache_unit_pk" PRIMARY KEY("call_id","adjustment","direction","modality","cache","unit"),
	CONSTRAINT "usage_lines_direction" CHECK ("usage_lines"."direction" in ('input', 'output')),
	CONSTRAINT "usage_lines_modality" CHECK ("usage_lines"."modality" in ('text', 'image', 'audio')),
	CONSTRAINT "usage_lines_cache" CHECK ("usage_lines"."cache" in ('none', 'read', 'write')),
	CONSTRAINT "usage_lines_quantity" CHECK ("usage_lines"."quantity" >= 0 or "usage_lines"."adjustment" > 0)
) PARTITION BY RANGE ("call_id");
--> statement-breakpoint
CREATE INDEX "calls_feature" ON "calls" USING btree ("feature","id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "calls_model" ON "calls" USING btree ("model","id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "calls_customer" ON "calls" USING btree ("customer","id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "calls_session" ON "calls" USING btree ("session","id") WHERE "calls"."session" is not null;--> statement-breakpoint
CREATE INDEX "calls_not_completed" ON "calls" USING btree ("outcome","id" DESC NULLS LAST) WHERE "calls"."outcome" <> 'completed';--> statement-breakpoint
CREATE INDEX "feedback_call" ON "feedback" USING btree ("call_id");--> statement-breakpoint
CREATE INDEX "feedback_waiting" ON "feedback" USING btree ("target_kind","target_id") WHERE "feedback"."matched_at" is null;--> statement-breakpoint
CREATE INDEX "tool_calls_name" ON "tool_calls" USING btree ("name","call_id");