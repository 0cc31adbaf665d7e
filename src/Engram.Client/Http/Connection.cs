using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Engram.Client.Http;

/// <summary>Requests and answers in the contracts' JSON; problems become exceptions.</summary>
internal sealed class Connection(HttpClient http, EngramClientOptions options)
{
    private static readonly MediaTypeHeaderValue s_json = new("application/json");
    private readonly Attempts _attempts = new(options);

    public EngramClientOptions Options => options;

    public Attempts Attempts => _attempts;

    public Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, path, null, type, isRepeatable: true, cancellationToken);

    /// <summary>Sends a body and reads the answer.</summary>
    public Task<T> SendAsync<TBody, T>(
        HttpMethod method, string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<T> type, bool isRepeatable, CancellationToken cancellationToken)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(body, bodyType);
        return SendAsync(method, path, () => Json(bytes), type, isRepeatable, cancellationToken);
    }

    /// <summary>Sends what <paramref name="content"/> makes, for each attempt anew, and reads the answer.</summary>
    public async Task<T> SendAsync<T>(
        HttpMethod method, string path, Func<HttpContent>? content, JsonTypeInfo<T> type, bool isRepeatable, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(method, path, content, isRepeatable, hasTimeout: true, cancellationToken).ConfigureAwait(false);
        return await ReadAsync(response, type, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads an answer.</summary>
    public static async Task<T> ReadAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            return await JsonSerializer.DeserializeAsync(body, type, cancellationToken).ConfigureAwait(false)
                ?? throw new InvalidDataException("The service answered null.");
        }
    }

    /// <summary>Sends a request; the answer's body is still to be read.</summary>
    /// <exception cref="ProblemException">The service refused it.</exception>
    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, Func<HttpContent>? content, bool isRepeatable, bool hasTimeout, CancellationToken cancellationToken,
        Action<HttpRequestMessage>? prepare = null)
    {
        var response = await _attempts.SendAsync(
            end => AttemptAsync(method, path, content, hasTimeout, prepare, end), isRepeatable, cancellationToken).ConfigureAwait(false);
        if (response.IsSuccessStatusCode) return response;
        using (response) throw new ProblemException(await ProblemAsync(response, cancellationToken).ConfigureAwait(false), _attempts.RetryAfter(response));
    }

    /// <summary>A body of JSON.</summary>
    public static HttpContent Json(byte[] bytes) => new ByteArrayContent(bytes) { Headers = { ContentType = s_json } };

    private async Task<HttpResponseMessage> AttemptAsync(
        HttpMethod method, string path, Func<HttpContent>? content, bool hasTimeout, Action<HttpRequestMessage>? prepare, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = content?.Invoke() };
        prepare?.Invoke(request);
        if (!hasTimeout) return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        using var timeout = new CancellationTokenSource(options.Timeout, options.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        return await http.SendAsync(request, HttpCompletionOption.ResponseContentRead, either.Token).ConfigureAwait(false);
    }

    // A proxy in between may answer with something else.
    private static async Task<Problem> ProblemAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentType?.MediaType == "application/problem+json")
        {
            try
            {
                return await ReadAsync(response, AnswerJson.Default.Problem, cancellationToken).ConfigureAwait(false);
            }
            catch (JsonException)
            {
            }
        }
        return new Problem
        {
            Type = "about:blank",
            Title = response.ReasonPhrase ?? nameof(HttpStatusCode),
            Status = (int)response.StatusCode,
        };
    }
}
