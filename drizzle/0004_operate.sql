CREATE TABLE "ratings" (
	"call_id" uuid NOT NULL,
	"word_id" uuid NOT NULL,
	"project_id" text NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"environment" text NOT NULL,
	"endpoint" text NOT NULL,
	"outcome" text NOT NULL,
	"feature" text,
	"customer" text,
	"template" text,
	"template_version" text,
	"unit_hash" text,
	"release" text,
	"request_model" text,
	"model" text,
	"rating" text,
	"has_comment" boolean NOT NULL,
	"has_correction" boolean NOT NULL,
	CONSTRAINT "ratings_call_id_word_id_pk" PRIMARY KEY("call_id","word_id")
);
--> statement-breakpoint
CREATE TABLE "ratings_folded" (
	"part" text NOT NULL,
	"day" date NOT NULL,
	CONSTRAINT "ratings_folded_part_day_pk" PRIMARY KEY("part","day"),
	CONSTRAINT "ratings_folded_part" CHECK ("ratings_folded"."part" in ('words', 'calls'))
);
--> statement-breakpoint
CREATE TABLE "ratings_sums" (
	"project_id" text NOT NULL,
	"part" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"environment" text,
	"endpoint" text,
	"outcome" text,
	"feature" text,
	"customer" text,
	"template" text,
	"template_version" text,
	"unit_hash" text,
	"request_model" text,
	"model" text,
	"calls" bigint NOT NULL,
	"rated_calls" bigint NOT NULL,
	"up" bigint NOT NULL,
	"down" bigint NOT NULL,
	"corrections" bigint NOT NULL,
	CONSTRAINT "ratings_sums_part" CHECK ("ratings_sums"."part" in ('words', 'quarters', 'calls'))
);
--> statement-breakpoint
CREATE TABLE "rollups_due" (
	"day" date PRIMARY KEY NOT NULL,
	"asked_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"reason" text NOT NULL
);
--> statement-breakpoint
-- What is new is not known of the days that are there: the recorder counts them again, day by day, while traffic goes on.
INSERT INTO "rollups_due" ("day", "reason")
SELECT DISTINCT ("bucket" AT TIME ZONE 'UTC')::date, 'operations, costs by outcome, ratings' FROM "rollup_calls";--> statement-breakpoint
ALTER TABLE "rollup_calls" ADD COLUMN "operations" bigint;--> statement-breakpoint
ALTER TABLE "rollup_calls" ADD COLUMN "cost_usd" numeric;--> statement-breakpoint
ALTER TABLE "rollup_calls" ADD COLUMN "cost_estimated_usd" numeric;--> statement-breakpoint
ALTER TABLE "rollup_calls" ADD COLUMN "calls_unpriced" bigint;--> statement-breakpoint
ALTER TABLE "set_aside" ADD COLUMN "retry_asked_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "set_aside" ADD COLUMN "tries" smallint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "set_aside" ADD COLUMN "tried_at" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "ratings_word" ON "ratings" USING btree ("word_id");--> statement-breakpoint
CREATE INDEX "feedback_target" ON "feedback" USING btree ("target_kind","target_id");--> statement-breakpoint
CREATE INDEX "ratings_sums_at" ON "ratings_sums" USING btree ("part","project_id","at");--> statement-breakpoint
CREATE INDEX "ratings_written" ON "ratings" USING btree ("project_id","rating","word_id") WHERE "ratings"."has_comment" or "ratings"."has_correction";--> statement-breakpoint
CREATE INDEX "feedback_of_sessions" ON "feedback" USING btree ("matched_at") WHERE "feedback"."target_kind" = 'session';--> statement-breakpoint
CREATE INDEX "rollup_calls_not_completed" ON "rollup_calls" USING btree ("project_id","bucket") WHERE "rollup_calls"."outcome" <> 'completed';