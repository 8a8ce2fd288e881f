CREATE TABLE "attributed_values" (
	"project_id" text NOT NULL,
	"day" date NOT NULL,
	"attribute" text NOT NULL,
	"kept" text[] NOT NULL,
	CONSTRAINT "attributed_values_project_id_day_attribute_pk" PRIMARY KEY("project_id","day","attribute")
);
--> statement-breakpoint
CREATE TABLE "rollup_attributed" (
	"project_id" text NOT NULL,
	"day" date NOT NULL,
	"environment" text NOT NULL,
	"feature" text NOT NULL,
	"customer" text NOT NULL,
	"template" text NOT NULL,
	"template_version" text NOT NULL,
	"unit_hash" text NOT NULL,
	"model" text NOT NULL,
	"endpoint" text NOT NULL,
	"modality" text NOT NULL,
	"outcome" text NOT NULL,
	"operations" bigint NOT NULL,
	"input_tokens" bigint NOT NULL,
	"cached_tokens" bigint NOT NULL,
	"output_tokens" bigint NOT NULL,
	"input_tokens_estimated" bigint NOT NULL,
	"output_tokens_estimated" bigint NOT NULL,
	"calls_without_usage" bigint NOT NULL,
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
ALTER TABLE "folded_days" DROP CONSTRAINT "folded_days_rollup";--> statement-breakpoint
CREATE INDEX "rollup_attributed_day" ON "rollup_attributed" USING btree ("project_id","day");--> statement-breakpoint
CREATE INDEX "rollup_attributed_customer" ON "rollup_attributed" USING btree ("project_id","customer","day");--> statement-breakpoint
CREATE INDEX "rollup_attributed_template" ON "rollup_attributed" USING btree ("project_id","template","day");--> statement-breakpoint
ALTER TABLE "folded_days" ADD CONSTRAINT "folded_days_rollup" CHECK ("folded_days"."rollup" in ('spend', 'latency', 'spend_upto', 'attributed')) NOT VALID;