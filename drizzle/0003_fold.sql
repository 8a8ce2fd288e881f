CREATE TABLE "folded_days" (
	"project_id" text NOT NULL,
	"rollup" text NOT NULL,
	"day" date NOT NULL,
	CONSTRAINT "folded_days_project_id_rollup_day_pk" PRIMARY KEY("project_id","rollup","day"),
	CONSTRAINT "folded_days_rollup" CHECK ("folded_days"."rollup" in ('spend', 'latency'))
);
--> statement-breakpoint
CREATE TABLE "rollup_latency_days" (
	"project_id" text NOT NULL,
	"day" date NOT NULL,
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
	"own" "histogram" NOT NULL
);
--> statement-breakpoint
CREATE TABLE "rollup_spend_days" (
	"project_id" text NOT NULL,
	"day" date NOT NULL,
	"environment" text NOT NULL,
	"feature" text NOT NULL,
	"customer" text NOT NULL,
	"template" text NOT NULL,
	"template_version" text NOT NULL,
	"unit_hash" text NOT NULL,
	"model" text NOT NULL,
	"calls" bigint NOT NULL,
	"calls_failed" bigint NOT NULL,
	"calls_unpriced" bigint NOT NULL,
	"calls_without_usage" bigint NOT NULL,
	"cost_usd" numeric NOT NULL,
	"cost_estimated_usd" numeric NOT NULL,
	"saved_usd" numeric NOT NULL,
	"tokens_estimated" bigint NOT NULL,
	"text_input" bigint NOT NULL,
	"text_cached" bigint NOT NULL,
	"text_output" bigint NOT NULL,
	"image_input" bigint NOT NULL,
	"image_cached" bigint NOT NULL,
	"image_output" bigint NOT NULL,
	"audio_input" bigint NOT NULL,
	"audio_cached" bigint NOT NULL,
	"audio_output" bigint NOT NULL,
	"text_input_usd" numeric NOT NULL,
	"text_cached_usd" numeric NOT NULL,
	"text_output_usd" numeric NOT NULL,
	"image_input_usd" numeric NOT NULL,
	"image_cached_usd" numeric NOT NULL,
	"image_output_usd" numeric NOT NULL,
	"audio_input_usd" numeric NOT NULL,
	"audio_cached_usd" numeric NOT NULL,
	"audio_output_usd" numeric NOT NULL
);
--> statement-breakpoint
CREATE INDEX "rollup_latency_days_day" ON "rollup_latency_days" USING btree ("project_id","day");--> statement-breakpoint
CREATE INDEX "rollup_spend_days_day" ON "rollup_spend_days" USING btree ("project_id","day");