namespace Engram.Server.Api;

/// <summary>A request that the web refuses before it reaches a learner.</summary>
/// <param name="status">The status of the answer.</param>
/// <param name="kind">The kind of problem, in a word.</param>
/// <param name="field">The field; null where it is about none.</param>
/// <param name="message">The value and what was expected.</param>
/// <param name="retryAfter">When to try again.</param>
/// <param name="line">The line of an imported file.</param>
internal sealed class RefusedException(
    int status, string kind, string? field, string message, TimeSpan? retryAfter = null, long? line = null) : Exception(message)
{
    public int Status { get; } = status;

    public string Kind { get; } = kind;

    public string? Field { get; } = field;

    public TimeSpan? RetryAfter { get; } = retryAfter;

    public long? Line { get; } = line;

    /// <summary>A field that is wrong (400).</summary>
    public static RefusedException BadInput(string? field, string message, long? line = null) => new(400, "bad-input", field, message, line: line);

    /// <summary>More than is taken in at once (413).</summary>
    public static RefusedException TooLarge(string? field, string message, long? line = null) => new(413, "too-large", field, message, line: line);
}
