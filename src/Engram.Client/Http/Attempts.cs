using System.Net;
using System.Security.Cryptography;

namespace Engram.Client.Http;

/// <summary>Sends a request again when that is worth while and harmless.</summary>
/// <remarks>
/// Answers 429 and 503 say that nothing was done, so that any request may be sent again; so does a connection that could not be made. After a connection
/// that broke nobody knows: only requests that do no harm twice are sent again then, which feedback is by its key.
/// </remarks>
internal sealed class Attempts(EngramClientOptions options)
{
    /// <summary>Sends a request until it is answered, or not worth while any more.</summary>
    /// <param name="send">Sends it, built anew.</param>
    /// <param name="isRepeatable">Whether it does no harm twice.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<HttpResponseMessage> SendAsync(
        Func<CancellationToken, Task<HttpResponseMessage>> send, bool isRepeatable, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            TimeSpan wait;
            try
            {
                var response = await send(cancellationToken).ConfigureAwait(false);
                if (attempt >= options.Retries || response.StatusCode is not (HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable))
                    return response;
                wait = Delay(attempt);
                if (RetryAfter(response) is { } asked)
                {
                    if (asked > options.MaxDelay) return response;
                    if (asked > wait) wait = asked;
                }
                response.Dispose();
            }
            catch (Exception problem) when (attempt < options.Retries && !cancellationToken.IsCancellationRequested && IsPassing(problem, isRepeatable))
            {
                wait = Delay(attempt);
            }
            await Task.Delay(wait, options.Clock, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>How long the service asked to wait.</summary>
    public TimeSpan? RetryAfter(HttpResponseMessage response) =>
        response.Headers.RetryAfter is not { } header ? null : header.Delta ?? header.Date - options.Clock.GetUtcNow();

    /// <summary>Wait after an attempt, from 0: doubled each time, and by chance between half and all of it, so that callers do not come back together.</summary>
    public TimeSpan Delay(int attempt)
    {
        var full = Math.Min(options.MaxDelay.TotalMilliseconds, options.FirstDelay.TotalMilliseconds * Math.Pow(2, attempt));
        return TimeSpan.FromMilliseconds(full / 2 * (1 + RandomNumberGenerator.GetInt32(1001) / 1000.0));
    }

    private static bool IsPassing(Exception problem, bool isRepeatable) => problem switch
    {
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } => true,
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError or HttpRequestError.NameResolutionError } => false,
        HttpRequestException or IOException => isRepeatable,
        OperationCanceledException => isRepeatable, // the attempt took too long
        _ => false,
    };
}
