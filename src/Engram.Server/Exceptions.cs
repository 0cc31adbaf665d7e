namespace Engram.Server;

/// <summary>A request that cannot be done, with the field that says why.</summary>
/// <param name="field">The field as the contract names it, for example <c>input</c> or <c>learning.cpuShare</c>.</param>
/// <param name="message">The value and what was expected.</param>
public abstract class ServiceException(string field, string message) : Exception(message)
{
    /// <summary>The field as the contract names it.</summary>
    public string Field { get; } = field;
}

/// <summary>A field of a specification is wrong (400).</summary>
/// <param name="field">The field.</param>
/// <param name="message">The value and what was expected.</param>
public sealed class SpecificationException(string field, string message) : ServiceException(field, message);

/// <summary>An input, label or other field of a request is wrong (400).</summary>
/// <param name="field">The field.</param>
/// <param name="message">The value and what was expected.</param>
public sealed class InputException(string field, string message) : ServiceException(field, message);

/// <summary>What a request names is not there (404).</summary>
/// <param name="field">The field.</param>
/// <param name="message">What is not there.</param>
public sealed class NotFoundException(string field, string message) : ServiceException(field, message);

/// <summary>The present state does not allow a change (409).</summary>
/// <param name="field">The field.</param>
/// <param name="message">The state and what was expected.</param>
public sealed class ConflictException(string field, string message) : ServiceException(field, message);

/// <summary>Too much work waits (429).</summary>
/// <param name="field">The field.</param>
/// <param name="message">What waits.</param>
/// <param name="retryAfter">When to try again.</param>
public sealed class OverloadException(string field, string message, TimeSpan retryAfter) : ServiceException(field, message)
{
    /// <summary>When to try again.</summary>
    public TimeSpan RetryAfter { get; } = retryAfter;
}
