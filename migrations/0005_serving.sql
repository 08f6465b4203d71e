CREATE TABLE "async_predictions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"model" text NOT NULL,
	"request" jsonb,
	"state" text NOT NULL,
	"response" jsonb,
	"error" jsonb,
	"requested_by" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"ended_at" timestamp (3) with time zone,
	"expires_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "batch_chunks" (
	"batch" uuid NOT NULL,
	"chunk" integer NOT NULL,
	"part" jsonb NOT NULL,
	"output" text,
	"bytes" bigint,
	"done_at" timestamp (3) with time zone,
	CONSTRAINT "batch_chunks_batch_chunk_pk" PRIMARY KEY("batch","chunk")
);
--> statement-breakpoint
CREATE TABLE "batches" (
	"id" uuid PRIMARY KEY NOT NULL,
	"model" text NOT NULL,
	"version" integer NOT NULL,
	"artifact" text NOT NULL,
	"input" jsonb NOT NULL,
	"keys" jsonb NOT NULL,
	"state" text NOT NULL,
	"rows" bigint,
	"done" bigint DEFAULT 0 NOT NULL,
	"output" jsonb,
	"requested_by" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"started_at" timestamp (3) with time zone,
	"ended_at" timestamp (3) with time zone,
	"error" jsonb
);
--> statement-breakpoint
CREATE TABLE "endpoints" (
	"name" text PRIMARY KEY NOT NULL,
	"model" text NOT NULL,
	"serving" jsonb NOT NULL,
	"source" text NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	"updated_by" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "entity_features" (
	"model" text NOT NULL,
	"key" text NOT NULL,
	"features" jsonb NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"dataset" text NOT NULL,
	CONSTRAINT "entity_features_model_key_pk" PRIMARY KEY("model","key")
);
--> statement-breakpoint
CREATE TABLE "precomputation_chunks" (
	"precomputation" uuid NOT NULL,
	"chunk" integer NOT NULL,
	"from_key" text NOT NULL,
	"to_key" text NOT NULL,
	"rows" integer NOT NULL,
	"done_at" timestamp (3) with time zone,
	CONSTRAINT "precomputation_chunks_precomputation_chunk_pk" PRIMARY KEY("precomputation","chunk")
);
--> statement-breakpoint
CREATE TABLE "precomputations" (
	"id" uuid PRIMARY KEY NOT NULL,
	"model" text NOT NULL,
	"version" integer NOT NULL,
	"artifact" text NOT NULL,
	"state" text NOT NULL,
	"keys" text,
	"cause" text NOT NULL,
	"rows" bigint,
	"done" bigint DEFAULT 0 NOT NULL,
	"refused" bigint DEFAULT 0 NOT NULL,
	"requested_by" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"started_at" timestamp (3) with time zone,
	"ended_at" timestamp (3) with time zone,
	"error" jsonb
);
--> statement-breakpoint
CREATE TABLE "precomputed_predictions" (
	"precomputation" uuid NOT NULL,
	"key" text NOT NULL,
	"output" jsonb NOT NULL,
	"features" jsonb NOT NULL,
	"features_at" timestamp (3) with time zone NOT NULL,
	"computed_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "precomputed_predictions_precomputation_key_pk" PRIMARY KEY("precomputation","key")
);
--> statement-breakpoint
ALTER TABLE "batch_chunks" ADD CONSTRAINT "batch_chunks_batch_batches_id_fk" FOREIGN KEY ("batch") REFERENCES "public"."batches"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "precomputation_chunks" ADD CONSTRAINT "precomputation_chunks_precomputation_precomputations_id_fk" FOREIGN KEY ("precomputation") REFERENCES "public"."precomputations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "precomputed_predictions" ADD CONSTRAINT "precomputed_predictions_precomputation_precomputations_id_fk" FOREIGN KEY ("precomputation") REFERENCES "public"."precomputations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "async_predictions_by_model" ON "async_predictions" USING btree ("model","id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "async_predictions_by_expiry" ON "async_predictions" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "async_predictions_unfinished" ON "async_predictions" USING btree ("model") WHERE "async_predictions"."state" in ('queued', 'running');--> statement-breakpoint
CREATE INDEX "batches_by_model" ON "batches" USING btree ("model","id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "precomputations_by_model" ON "precomputations" USING btree ("model","id" DESC NULLS LAST);--> statement-breakpoint
CREATE UNIQUE INDEX "precomputations_live" ON "precomputations" USING btree ("model") WHERE "precomputations"."state" = 'live';