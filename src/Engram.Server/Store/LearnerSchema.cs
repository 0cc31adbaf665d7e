namespace Engram.Server.Store;

/// <summary>Tables of a learner's file.</summary>
/// <remarks>
/// Feedback has two numbers: <c>sequence</c>, given when it came, and <c>ordinal</c>, given when it became a sample; both come from one
/// counter. They differ only for feedback that waited for its prediction. A version's cursor is an ordinal, so that it never passes
/// over a sample that came late. <c>revoked</c> is the ordinal at which a sample was corrected or, where <c>deleted</c>, its subject
/// deleted; this mark outlives the content, so that a version which learnt the sample is known to hold it. The counters are kept in a
/// row of their own, since numbers must never be given twice, whatever is deleted.
/// </remarks>
internal static class LearnerSchema
{
    public const string Version1 = """
        CREATE TABLE counter(last INTEGER NOT NULL) STRICT;
        INSERT INTO counter VALUES (0);

        CREATE TABLE feedback(
          sequence INTEGER PRIMARY KEY,
          ordinal INTEGER NOT NULL,
          kind INTEGER NOT NULL,          -- FeedbackKind
          held INTEGER NOT NULL,          -- 1: held out from learning
          at INTEGER NOT NULL,            -- Unix time in ms
          observed INTEGER,
          prediction TEXT,
          input BLOB,
          label TEXT,
          reward REAL,
          subject TEXT,
          key TEXT,
          version INTEGER,                -- that predicted
          predicted TEXT,
          correct INTEGER,                -- 1: the prediction was right
          delay REAL,                     -- seconds from prediction to truth
          revoked INTEGER) STRICT;
        CREATE UNIQUE INDEX feedback_ordinal ON feedback(ordinal);
        CREATE UNIQUE INDEX feedback_key ON feedback(key) WHERE key IS NOT NULL;
        CREATE INDEX feedback_prediction ON feedback(prediction) WHERE prediction IS NOT NULL;
        CREATE INDEX feedback_subject ON feedback(subject) WHERE subject IS NOT NULL;
        CREATE INDEX feedback_revoked ON feedback(revoked) WHERE revoked IS NOT NULL;
        CREATE INDEX feedback_held ON feedback(ordinal) WHERE held = 1;
        CREATE INDEX feedback_waiting ON feedback(at) WHERE kind = 0;

        CREATE TABLE predictions(
          id TEXT PRIMARY KEY,
          at INTEGER NOT NULL,
          version INTEGER NOT NULL,
          label TEXT NOT NULL,
          probability REAL NOT NULL,
          unknown INTEGER NOT NULL,
          input BLOB NOT NULL,
          subject TEXT) STRICT;
        CREATE INDEX predictions_at ON predictions(at);
        CREATE INDEX predictions_subject ON predictions(subject) WHERE subject IS NOT NULL;

        CREATE TABLE versions(version INTEGER PRIMARY KEY, info TEXT NOT NULL) STRICT;
        CREATE TABLE aliases(alias TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT;
        CREATE TABLE examples(id TEXT PRIMARY KEY, input BLOB NOT NULL, label TEXT NOT NULL, added INTEGER NOT NULL) STRICT;
        """;

    public const string Version2 = """
        ALTER TABLE counter ADD COLUMN version INTEGER NOT NULL DEFAULT 0; -- the highest number of a version that is gone
        ALTER TABLE feedback ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0; -- 1: revoked because its subject was deleted
        ALTER TABLE feedback ADD COLUMN predicted_subject TEXT;             -- of the prediction, where feedback names another
        ALTER TABLE examples ADD COLUMN subject TEXT;
        UPDATE feedback SET deleted = 1 WHERE kind = 1 AND revoked IS NOT NULL AND prediction IS NULL;
        CREATE INDEX feedback_held_label ON feedback(label, ordinal, revoked, held, kind) WHERE held = 1 AND kind = 1;
        CREATE INDEX feedback_judged ON feedback(version, correct, kind, revoked) WHERE version IS NOT NULL AND kind IN (1, 2) AND revoked IS NULL;
        CREATE INDEX feedback_deleted ON feedback(revoked) WHERE deleted = 1;
        CREATE INDEX feedback_predicted_subject ON feedback(predicted_subject) WHERE predicted_subject IS NOT NULL;
        CREATE INDEX examples_subject ON examples(subject) WHERE subject IS NOT NULL;
        """;
}

/// <summary>What a row of feedback is.</summary>
internal enum FeedbackKind
{
    /// <summary>Its prediction is not known yet.</summary>
    Waiting = 0,

    /// <summary>An input and its label.</summary>
    Sample = 1,

    /// <summary>Says only that a prediction was wrong.</summary>
    Judgement = 2,

    /// <summary>Its content is gone; the row keeps its idempotency key and, where a version learnt it, its subject.</summary>
    Erased = 3,
}
