CREATE TABLE "rollup_spend_upto" (
	"project_id" text NOT NULL,
	"day" date NOT NULL,
	"upto" smallint NOT NULL,
	"by" text NOT NULL,
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
	"audio_output_usd" numeric NOT NULL,
	"calls_allocated" bigint NOT NULL,
	"cost_allocated_usd" numeric NOT NULL,
	CONSTRAINT "rollup_spend_upto_by" CHECK ("rollup_spend_upto"."by" in ('feature', 'customer', 'template', 'model'))
);
--> statement-breakpoint
CREATE INDEX "rollup_spend_upto_day" ON "rollup_spend_upto" USING btree ("project_id","by","upto","day");--> statement-breakpoint
-- Days are marked by another name from now on, and folded again within minutes: 'spend' is what a recorder of the earlier version
-- still writes, which knows nothing of this table.
ALTER TABLE "folded_days" DROP CONSTRAINT "folded_days_rollup";--> statement-breakpoint
ALTER TABLE "folded_days" ADD CONSTRAINT "folded_days_rollup" CHECK ("folded_days"."rollup" in ('spend', 'latency', 'spend_upto')) NOT VALID;
