namespace Engram.Server.Store;

/// <summary>Tables of a learner's file.</summary>
/// <remarks>
/// Feedback has two numbers: <c>sequence</c>, given when it came, and <c>ordinal</c>, given when it became a sample; both come from one
/// counter. They differ only for feedback that waited for its prediction. A version's cursor is an ordinal, so that it never passes
/// over a sample that came late. <c>revoked</c> is the ordinal at which a sample was corrected or deleted. The counter is kept in a
/// row of its own, since numbers must never be given twice, whatever is deleted.
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

    /// <summary>Its content is gone; the row keeps its idempotency key.</summary>
    Erased = 3,
}
