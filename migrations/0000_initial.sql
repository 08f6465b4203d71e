CREATE TABLE "alias_moves" (
	"model" text NOT NULL,
	"alias" text NOT NULL,
	"revision" integer NOT NULL,
	"version" integer NOT NULL,
	"previous_version" integer,
	"at" timestamp (3) with time zone NOT NULL,
	"by" text NOT NULL,
	"reason" text NOT NULL,
	"release_id" uuid,
	CONSTRAINT "alias_moves_model_alias_revision_pk" PRIMARY KEY("model","alias","revision")
);
--> statement-breakpoint
CREATE TABLE "aliases" (
	"model" text NOT NULL,
	"alias" text NOT NULL,
	"version" integer NOT NULL,
	"revision" integer NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "aliases_model_alias_pk" PRIMARY KEY("model","alias")
);
--> statement-breakpoint
CREATE TABLE "backfills" (
	"id" uuid PRIMARY KEY NOT NULL,
	"pipeline" text NOT NULL,
	"first_day" text NOT NULL,
	"last_day" text NOT NULL,
	"force" boolean NOT NULL,
	"state" text NOT NULL,
	"next_day" text,
	"done" integer NOT NULL,
	"reason" text,
	"by" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "dataset_versions" (
	"digest" text PRIMARY KEY NOT NULL,
	"pipeline" text NOT NULL,
	"as_of" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"manifest" jsonb NOT NULL,
	"card" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "evaluations" (
	"id" uuid PRIMARY KEY NOT NULL,
	"model" text NOT NULL,
	"version" integer NOT NULL,
	"dataset_digest" text NOT NULL,
	"evaluation" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "ground_truth" (
	"id" uuid PRIMARY KEY NOT NULL,
	"model" text NOT NULL,
	"prediction_id" uuid,
	"key" text,
	"label" jsonb NOT NULL,
	"observed_at" timestamp (3) with time zone NOT NULL,
	"received_at" timestamp (3) with time zone NOT NULL,
	"received_by" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"caller" text NOT NULL,
	"key" text NOT NULL,
	"request_digest" text NOT NULL,
	"status" integer,
	"response" jsonb,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "idempotency_keys_caller_key_pk" PRIMARY KEY("caller","key")
);
--> statement-breakpoint
CREATE TABLE "model_versions" (
	"model" text NOT NULL,
	"version" integer NOT NULL,
	"run_id" uuid,
	"artifact_digest" text NOT NULL,
	"artifact_bytes" bigint NOT NULL,
	"dataset_digest" text,
	"signature" jsonb NOT NULL,
	"lineage" jsonb NOT NULL,
	"gate" jsonb NOT NULL,
	"card" jsonb NOT NULL,
	"as_of" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "model_versions_model_version_pk" PRIMARY KEY("model","version")
);
--> statement-breakpoint
CREATE TABLE "models" (
	"name" text PRIMARY KEY NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"latest_version" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "pipelines" (
	"name" text PRIMARY KEY NOT NULL,
	"spec" jsonb NOT NULL,
	"code_digest" text NOT NULL,
	"loaded_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "predictions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"model" text NOT NULL,
	"version" integer NOT NULL,
	"endpoint" text NOT NULL,
	"key" text,
	"features" jsonb NOT NULL,
	"output" jsonb NOT NULL,
	"mode" text NOT NULL,
	"latency_microseconds" integer NOT NULL,
	"at" timestamp (3) with time zone NOT NULL
) PARTITION BY RANGE ("id");
--> statement-breakpoint
CREATE TABLE "release_events" (
	"release_id" uuid NOT NULL,
	"sequence" integer NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"transition" text NOT NULL,
	"state" text NOT NULL,
	"by" text NOT NULL,
	"reason" text NOT NULL,
	CONSTRAINT "release_events_release_id_sequence_pk" PRIMARY KEY("release_id","sequence")
);
--> statement-breakpoint
CREATE TABLE "releases" (
	"id" uuid PRIMARY KEY NOT NULL,
	"model" text NOT NULL,
	"version" integer NOT NULL,
	"state" text NOT NULL,
	"requested_by" text NOT NULL,
	"requested_at" timestamp (3) with time zone NOT NULL,
	"decided_by" text,
	"reason" text,
	"updated_at" timestamp (3) with time zone NOT NULL,
	"last_sequence" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "run_events" (
	"run_id" uuid NOT NULL,
	"sequence" integer NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"event" jsonb NOT NULL,
	CONSTRAINT "run_events_run_id_sequence_pk" PRIMARY KEY("run_id","sequence")
);
--> statement-breakpoint
CREATE TABLE "runs" (
	"id" uuid PRIMARY KEY NOT NULL,
	"pipeline" text NOT NULL,
	"state" text NOT NULL,
	"trigger" jsonb NOT NULL,
	"as_of" timestamp (3) with time zone NOT NULL,
	"force" boolean NOT NULL,
	"spec" jsonb NOT NULL,
	"code_digest" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"started_at" timestamp (3) with time zone,
	"ended_at" timestamp (3) with time zone,
	"dataset_digest" text,
	"version" integer,
	"verdict" text,
	"error" jsonb,
	"last_sequence" integer NOT NULL,
	"fence" integer DEFAULT 0 NOT NULL,
	"backfill_id" uuid
);
--> statement-breakpoint
CREATE TABLE "schedules" (
	"pipeline" text PRIMARY KEY NOT NULL,
	"cron" text NOT NULL,
	"timezone" text NOT NULL,
	"next_run_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "steps" (
	"run_id" uuid NOT NULL,
	"name" text NOT NULL,
	"state" text NOT NULL,
	"attempt" integer NOT NULL,
	"input_digest" text NOT NULL,
	"output" jsonb,
	"error" jsonb,
	"started_at" timestamp (3) with time zone NOT NULL,
	"ended_at" timestamp (3) with time zone,
	CONSTRAINT "steps_run_id_name_pk" PRIMARY KEY("run_id","name")
);
--> statement-breakpoint
CREATE TABLE "stream_cursors" (
	"pipeline" text NOT NULL,
	"stream" text NOT NULL,
	"last_event_id" uuid NOT NULL,
	CONSTRAINT "stream_cursors_pipeline_stream_pk" PRIMARY KEY("pipeline","stream")
);
--> statement-breakpoint
CREATE TABLE "stream_events" (
	"id" uuid PRIMARY KEY NOT NULL,
	"stream" text NOT NULL,
	"event" jsonb NOT NULL,
	"received_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "streams" (
	"name" text PRIMARY KEY NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "taken_files" (
	"pipeline" text NOT NULL,
	"digest" text NOT NULL,
	"name" text NOT NULL,
	"bytes" bigint NOT NULL,
	"taken_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "taken_files_pipeline_digest_pk" PRIMARY KEY("pipeline","digest")
);
--> statement-breakpoint
CREATE TABLE "triggers" (
	"id" uuid PRIMARY KEY NOT NULL,
	"pipeline" text NOT NULL,
	"kind" text NOT NULL,
	"by" text NOT NULL,
	"cause" jsonb NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"outcome" text NOT NULL,
	"reason" text NOT NULL,
	"run_id" uuid
);
--> statement-breakpoint
CREATE TABLE "worker_heartbeats" (
	"worker" text PRIMARY KEY NOT NULL,
	"pid" integer NOT NULL,
	"process_started_at" text NOT NULL,
	"machine" text NOT NULL,
	"seen_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "alias_moves" ADD CONSTRAINT "alias_moves_release_id_releases_id_fk" FOREIGN KEY ("release_id") REFERENCES "public"."releases"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "aliases" ADD CONSTRAINT "aliases_model_version_model_versions_model_version_fk" FOREIGN KEY ("model","version") REFERENCES "public"."model_versions"("model","version") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "backfills" ADD CONSTRAINT "backfills_pipeline_pipelines_name_fk" FOREIGN KEY ("pipeline") REFERENCES "public"."pipelines"("name") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "evaluations" ADD CONSTRAINT "evaluations_model_version_model_versions_model_version_fk" FOREIGN KEY ("model","version") REFERENCES "public"."model_versions"("model","version") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "model_versions" ADD CONSTRAINT "model_versions_model_models_name_fk" FOREIGN KEY ("model") REFERENCES "public"."models"("name") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "model_versions" ADD CONSTRAINT "model_versions_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "model_versions" ADD CONSTRAINT "model_versions_dataset_digest_dataset_versions_digest_fk" FOREIGN KEY ("dataset_digest") REFERENCES "public"."dataset_versions"("digest") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "release_events" ADD CONSTRAINT "release_events_release_id_releases_id_fk" FOREIGN KEY ("release_id") REFERENCES "public"."releases"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "releases" ADD CONSTRAINT "releases_model_version_model_versions_model_version_fk" FOREIGN KEY ("model","version") REFERENCES "public"."model_versions"("model","version") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "run_events" ADD CONSTRAINT "run_events_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "runs" ADD CONSTRAINT "runs_pipeline_pipelines_name_fk" FOREIGN KEY ("pipeline") REFERENCES "public"."pipelines"("name") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "schedules" ADD CONSTRAINT "schedules_pipeline_pipelines_name_fk" FOREIGN KEY ("pipeline") REFERENCES "public"."pipelines"("name") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "steps" ADD CONSTRAINT "steps_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "stream_events" ADD CONSTRAINT "stream_events_stream_streams_name_fk" FOREIGN KEY ("stream") REFERENCES "public"."streams"("name") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "triggers" ADD CONSTRAINT "triggers_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "dataset_versions_by_time" ON "dataset_versions" USING btree ("created_at" DESC NULLS LAST,"digest");--> statement-breakpoint
CREATE INDEX "evaluations_by_version" ON "evaluations" USING btree ("model","version");--> statement-breakpoint
CREATE INDEX "ground_truth_by_prediction" ON "ground_truth" USING btree ("prediction_id") WHERE "ground_truth"."prediction_id" is not null;--> statement-breakpoint
CREATE INDEX "ground_truth_by_key" ON "ground_truth" USING btree ("model","key") WHERE "ground_truth"."key" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "model_versions_by_run" ON "model_versions" USING btree ("run_id");--> statement-breakpoint
CREATE INDEX "model_versions_by_artifact" ON "model_versions" USING btree ("artifact_digest");--> statement-breakpoint
CREATE INDEX "predictions_by_time" ON "predictions" USING btree ("model","at");--> statement-breakpoint
CREATE INDEX "predictions_by_key" ON "predictions" USING btree ("model","key") WHERE "predictions"."key" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "releases_one_live" ON "releases" USING btree ("model") WHERE "releases"."state" = 'live';--> statement-breakpoint
CREATE INDEX "releases_by_model" ON "releases" USING btree ("model","id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "runs_by_pipeline" ON "runs" USING btree ("pipeline","id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "runs_unfinished" ON "runs" USING btree ("state") WHERE "runs"."state" in ('queued', 'running');--> statement-breakpoint
CREATE INDEX "steps_by_input" ON "steps" USING btree ("name","input_digest") WHERE "steps"."state" in ('succeeded', 'reused');--> statement-breakpoint
CREATE INDEX "stream_events_by_stream" ON "stream_events" USING btree ("stream","id");--> statement-breakpoint
CREATE INDEX "triggers_by_pipeline" ON "triggers" USING btree ("pipeline","id" DESC NULLS LAST);