CREATE TABLE "dataset_files" (
	"dataset" text NOT NULL,
	"digest" text NOT NULL,
	"name" text NOT NULL,
	"bytes" bigint NOT NULL,
	CONSTRAINT "dataset_files_dataset_digest_name_pk" PRIMARY KEY("dataset","digest","name")
);
--> statement-breakpoint
ALTER TABLE "dataset_files" ADD CONSTRAINT "dataset_files_dataset_dataset_versions_digest_fk" FOREIGN KEY ("dataset") REFERENCES "public"."dataset_versions"("digest") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "dataset_files_by_digest" ON "dataset_files" USING btree ("digest","dataset");--> statement-breakpoint
CREATE INDEX "model_versions_by_dataset" ON "model_versions" USING btree ("dataset_digest");--> statement-breakpoint
CREATE INDEX "model_versions_by_warm_start" ON "model_versions" USING btree (("lineage" ->> 'warmStartedFrom'));--> statement-breakpoint
INSERT INTO "dataset_files" ("dataset", "digest", "name", "bytes")
SELECT d."digest", f."digest", f."name", f."bytes"
FROM "dataset_versions" d, jsonb_to_recordset(d."card" -> 'files') AS f("digest" text, "name" text, "bytes" bigint)
ON CONFLICT DO NOTHING;
