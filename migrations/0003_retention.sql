CREATE TABLE "erased_keys" (
	"key_hash" text PRIMARY KEY NOT NULL,
	"erased_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "removed_artifacts" (
	"digest" text PRIMARY KEY NOT NULL,
	"because" text NOT NULL,
	"removed_at" timestamp (3) with time zone NOT NULL,
	"deleted_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "retention_passes" (
	"day" text PRIMARY KEY NOT NULL,
	"queued_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "retention_rules" (
	"kind" text PRIMARY KEY NOT NULL,
	"rule" jsonb NOT NULL,
	"changed_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "unreferenced_artifacts" (
	"digest" text PRIMARY KEY NOT NULL,
	"noticed_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "dataset_versions" ADD COLUMN "removed_at" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "removed_artifacts_unfinished" ON "removed_artifacts" USING btree ("deleted_at");--> statement-breakpoint
-- A version whose file retention has removed, or is about to, goes nowhere. The lock (the key is RETENTION_LOCK in repositories/retention.ts) is shared among
-- everything that begins to need a file, and held alone by what removes files: so each decides on what the other has committed.
CREATE FUNCTION "refuse_removed"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  removed text;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(7300214003);
  SELECT r.digest INTO removed FROM model_versions v JOIN removed_artifacts r ON r.digest = v.artifact_digest
    WHERE v.model = NEW.model AND v.version = NEW.version;
  IF removed IS NOT NULL THEN
    RAISE EXCEPTION 'the file of %@% was removed', NEW.model, NEW.version USING ERRCODE = 'PR001', DETAIL = removed;
  END IF;
  RETURN NEW;
END
$$;--> statement-breakpoint
CREATE TRIGGER "aliases_of_kept_versions" BEFORE INSERT OR UPDATE ON "aliases" FOR EACH ROW EXECUTE FUNCTION "refuse_removed"();--> statement-breakpoint
CREATE TRIGGER "releases_of_kept_versions" BEFORE INSERT OR UPDATE ON "releases" FOR EACH ROW WHEN (NEW.state IN ('pending', 'approved', 'live')) EXECUTE FUNCTION "refuse_removed"();--> statement-breakpoint
CREATE TRIGGER "model_versions_with_a_file" AFTER INSERT ON "model_versions" FOR EACH ROW EXECUTE FUNCTION "refuse_removed"();
