CREATE TABLE "alerts" (
	"id" uuid PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"severity" text NOT NULL,
	"model" text NOT NULL,
	"run_id" uuid,
	"version" integer,
	"title" text NOT NULL,
	"message" text NOT NULL,
	"details" jsonb NOT NULL,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "reproductions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"model" text NOT NULL,
	"version" integer NOT NULL,
	"state" text NOT NULL,
	"differences" jsonb NOT NULL,
	"error" jsonb,
	"requested_by" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"ended_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "test_set_comparisons" (
	"split" text NOT NULL,
	"comparison" integer NOT NULL,
	"candidate" text NOT NULL,
	"champion" text NOT NULL,
	"run_id" uuid,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "test_set_comparisons_split_comparison_pk" PRIMARY KEY("split","comparison")
);
--> statement-breakpoint
CREATE TABLE "webhook_deliveries" (
	"id" uuid PRIMARY KEY NOT NULL,
	"webhook_id" uuid NOT NULL,
	"event" jsonb NOT NULL,
	"state" text NOT NULL,
	"attempts" integer NOT NULL,
	"next_attempt_at" timestamp (3) with time zone,
	"last_status" integer,
	"last_error" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"ended_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "webhooks" (
	"id" uuid PRIMARY KEY NOT NULL,
	"url" text NOT NULL,
	"events" jsonb NOT NULL,
	"model" text,
	"secret" text NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"deleted_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "alerts" ADD CONSTRAINT "alerts_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "reproductions" ADD CONSTRAINT "reproductions_model_version_model_versions_model_version_fk" FOREIGN KEY ("model","version") REFERENCES "public"."model_versions"("model","version") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "test_set_comparisons" ADD CONSTRAINT "test_set_comparisons_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "webhook_deliveries" ADD CONSTRAINT "webhook_deliveries_webhook_id_webhooks_id_fk" FOREIGN KEY ("webhook_id") REFERENCES "public"."webhooks"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "alerts_by_model" ON "alerts" USING btree ("model","id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "reproductions_by_version" ON "reproductions" USING btree ("model","version");--> statement-breakpoint
CREATE UNIQUE INDEX "test_set_comparisons_once" ON "test_set_comparisons" USING btree ("split","candidate","champion");--> statement-breakpoint
CREATE INDEX "webhook_deliveries_by_webhook" ON "webhook_deliveries" USING btree ("webhook_id","id" DESC NULLS LAST);