CREATE TABLE "changes" (
	"project_id" text NOT NULL,
	"kind" text NOT NULL,
	"subject" text NOT NULL,
	"value" text NOT NULL,
	"first_call_id" uuid NOT NULL,
	"first_call_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "changes_project_id_kind_subject_value_pk" PRIMARY KEY("project_id","kind","subject","value"),
	CONSTRAINT "changes_kind" CHECK ("changes"."kind" in ('template_version', 'snapshot'))
);
--> statement-breakpoint
CREATE TABLE "instructions" (
	"project_id" text NOT NULL,
	"unit_hash" text NOT NULL,
	"sealed" "bytea" NOT NULL,
	"first_call_id" uuid NOT NULL,
	CONSTRAINT "instructions_project_id_unit_hash_pk" PRIMARY KEY("project_id","unit_hash")
);
--> statement-breakpoint
CREATE TABLE "prices" (
	"id" text PRIMARY KEY NOT NULL,
	"model" text NOT NULL,
	"unit" text NOT NULL,
	"direction" text NOT NULL,
	"modality" text NOT NULL,
	"cache" text NOT NULL,
	"tier" text NOT NULL,
	"usd" numeric NOT NULL,
	"per" numeric NOT NULL,
	"effective_from" date NOT NULL,
	"source" text NOT NULL,
	"date_basis" text NOT NULL,
	"confidence" text NOT NULL,
	"note" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "rollup_spend" (
	"project_id" text NOT NULL,
	"bucket" timestamp (3) with time zone NOT NULL,
	"writer" text NOT NULL,
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
	CONSTRAINT "rollup_spend_pk" PRIMARY KEY("project_id","bucket","writer","environment","feature","customer","template","template_version","unit_hash","model")
);
--> statement-breakpoint
ALTER TABLE "calls" ADD COLUMN "booked_on" date;--> statement-breakpoint
ALTER TABLE "closed_periods" ADD COLUMN "report" jsonb;--> statement-breakpoint
ALTER TABLE "usage_lines" ADD COLUMN "price_usd" numeric;--> statement-breakpoint
ALTER TABLE "usage_lines" ADD COLUMN "price_per" numeric;--> statement-breakpoint
ALTER TABLE "usage_lines" ADD COLUMN "saved_usd" numeric;--> statement-breakpoint
CREATE INDEX "changes_first" ON "changes" USING btree ("project_id","first_call_at");--> statement-breakpoint
CREATE INDEX "calls_booked_late" ON "calls" USING btree ("booked_on") WHERE "calls"."booked_on" is not null;--> statement-breakpoint
CREATE INDEX "usage_lines_adjusting" ON "usage_lines" USING btree ("booked_on") WHERE "usage_lines"."adjustment" > 0;--> statement-breakpoint
CREATE INDEX "usage_lines_unpriced" ON "usage_lines" USING btree ("call_id") WHERE "usage_lines"."cost_usd" is null;--> statement-breakpoint
ALTER TABLE "usage_lines" DROP COLUMN "unit_price_usd";--> statement-breakpoint
ALTER TABLE "usage_lines" ADD CONSTRAINT "usage_lines_priced" CHECK (("usage_lines"."price_id" is null) = ("usage_lines"."cost_usd" is null));--> statement-breakpoint
-- The last word of each rater on each target.
create view feedback_current as
  select distinct on (project_id, target_kind, target_id, item, rater)
    id, project_id, target_kind, target_id, item, rater, received_at, rating, score, comment, correction, labels, call_id, matched_at
  from feedback
  order by project_id, target_kind, target_id, item, rater, received_at desc, id desc;
