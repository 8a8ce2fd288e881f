-- Days are marked by another name from now on, and folded again within minutes, with two more sets of attributes: 'spend_upto' is what a
-- recorder of the earlier version still writes, which knows nothing of these.
ALTER TABLE "folded_days" DROP CONSTRAINT "folded_days_rollup";--> statement-breakpoint
ALTER TABLE "rollup_spend_upto" DROP CONSTRAINT "rollup_spend_upto_by";--> statement-breakpoint
ALTER TABLE "folded_days" ADD CONSTRAINT "folded_days_rollup" CHECK ("folded_days"."rollup" in ('spend', 'latency', 'spend_upto', 'attributed', 'spend_sets')) NOT VALID;--> statement-breakpoint
ALTER TABLE "rollup_spend_upto" ADD CONSTRAINT "rollup_spend_upto_by" CHECK ("rollup_spend_upto"."by" in ('feature', 'customer', 'template', 'model', 'feature_template_model', 'feature_customer')) NOT VALID;
