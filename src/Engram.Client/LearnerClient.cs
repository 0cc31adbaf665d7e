using System.Globalization;
using System.Text.Json;
using Engram.Client.Http;

namespace Engram.Client;

/// <summary>One learner of a service: predictions, feedback, and what it does.</summary>
public sealed partial class LearnerClient
{
    private readonly Connection _connection;
    private readonly string _path;

    internal LearnerClient(Connection connection, string name)
    {
        (_connection, Name) = (connection, name);
        _path = $"v1/learners/{Uri.EscapeDataString(name)}";
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>The learner as it is now.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<LearnerDescription> GetAsync(CancellationToken cancellationToken = default) =>
        _connection.GetAsync(_path, AnswerJson.Default.LearnerDescription, cancellationToken);

    /// <summary>Deletes the learner and all it kept.</summary>
    /// <param name="reason">Why, for the audit log.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task DeleteAsync(string? reason = null, CancellationToken cancellationToken = default)
    {
        using var _ = await _connection.SendAsync(
            HttpMethod.Delete, Addresses.With(_path, "reason", reason), null, isRepeatable: false, hasTimeout: true, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Stops learning until it is resumed; it goes on serving.</summary>
    /// <param name="reason">Why, for the audit log.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<LearnerDescription> PauseAsync(string? reason = null, CancellationToken cancellationToken = default) =>
        PostAsync("/pause", new ReasonRequest(reason), EngramJson.Default.ReasonRequest, AnswerJson.Default.LearnerDescription, isRepeatable: true, cancellationToken);

    /// <summary>Learns again.</summary>
    /// <param name="reason">Why, for the audit log.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<LearnerDescription> ResumeAsync(string? reason = null, CancellationToken cancellationToken = default) =>
        PostAsync("/resume", new ReasonRequest(reason), EngramJson.Default.ReasonRequest, AnswerJson.Default.LearnerDescription, isRepeatable: true, cancellationToken);

    /// <summary>Learns what waits, now; completes when the candidate was published, staged, refused or has failed, however long that takes.</summary>
    /// <param name="reason">Why, for the audit log.</param>
    /// <param name="cancellationToken">Ends the wait, not the learning.</param>
    /// <returns>The candidate; null when nothing waited.</returns>
    public async Task<VersionInfo?> LearnAsync(string? reason = null, CancellationToken cancellationToken = default)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(new ReasonRequest(reason), EngramJson.Default.ReasonRequest);
        using var response = await _connection.SendAsync(
            HttpMethod.Post, _path + "/learn", () => Connection.Json(body), isRepeatable: false, hasTimeout: false, cancellationToken).ConfigureAwait(false);
        return response.StatusCode == System.Net.HttpStatusCode.NoContent
            ? null
            : await Connection.ReadAsync(response, AnswerJson.Default.VersionInfo, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Predicts the label of an input.</summary>
    /// <param name="input">The input, for example from <see cref="LearnerInput"/>.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<PredictResponse> PredictAsync(JsonElement input, CancellationToken cancellationToken = default) =>
        PredictAsync(new PredictRequest { Input = input }, cancellationToken);

    /// <summary>Predicts the label of a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<PredictResponse> PredictAsync(string text, CancellationToken cancellationToken = default) =>
        PredictAsync(LearnerInput.Text(text), cancellationToken);

    /// <summary>Predicts the label of an input.</summary>
    /// <param name="request">The input and what is to be told of it.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<PredictResponse> PredictAsync(PredictRequest request, CancellationToken cancellationToken = default) =>
        PostAsync("/predictions", request, EngramJson.Default.PredictRequest, AnswerJson.Default.PredictResponse, isRepeatable: true, cancellationToken);

    /// <summary>Predicts the labels of several inputs, all by the same version.</summary>
    /// <param name="request">The inputs and what is to be told of them.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<PredictBatchResponse> PredictAsync(PredictBatchRequest request, CancellationToken cancellationToken = default) => PostAsync(
        "/predictions/batch", request, EngramJson.Default.PredictBatchRequest, AnswerJson.Default.PredictBatchResponse, isRepeatable: true, cancellationToken);

    /// <summary>Tells the true label of a prediction; it is on disk when the task completes.</summary>
    /// <param name="predictionId">The prediction.</param>
    /// <param name="label">The label; one never seen before makes the model grow.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<FeedbackReceipt> FeedbackAsync(string predictionId, string label, CancellationToken cancellationToken = default) =>
        FeedbackAsync(new FeedbackRequest { PredictionId = predictionId, Label = label }, cancellationToken);

    /// <summary>Tells the true label of an input; it is on disk when the task completes.</summary>
    /// <param name="input">The input, for example from <see cref="LearnerInput"/>.</param>
    /// <param name="label">The label; one never seen before makes the model grow.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<FeedbackReceipt> FeedbackAsync(JsonElement input, string label, CancellationToken cancellationToken = default) =>
        FeedbackAsync(new FeedbackRequest { Input = input, Label = label }, cancellationToken);

    /// <summary>Tells the truth about an input; it is on disk when the task completes.</summary>
    /// <param name="request">The truth. Without an idempotency key it gets one.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<FeedbackReceipt> FeedbackAsync(FeedbackRequest request, CancellationToken cancellationToken = default) =>
        PostAsync("/feedback", Keyed(request), EngramJson.Default.FeedbackRequest, AnswerJson.Default.FeedbackReceipt, isRepeatable: true, cancellationToken);

    /// <summary>Tells the truth about several inputs; all or none are stored.</summary>
    /// <param name="items">The truths. Those without an idempotency key get one.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<FeedbackBatchReceipt> FeedbackAsync(IEnumerable<FeedbackRequest> items, CancellationToken cancellationToken = default) => PostAsync(
        "/feedback/batch", new FeedbackBatchRequest([.. items.Select(Keyed)]), EngramJson.Default.FeedbackBatchRequest, AnswerJson.Default.FeedbackBatchReceipt,
        isRepeatable: true, cancellationToken);

    /// <summary>Sends a file of feedback.</summary>
    /// <param name="file">The file; sent again only where it can seek.</param>
    /// <param name="format">What it is.</param>
    /// <param name="idempotencyKey">Makes lines stored before harmless when the file is sent again; null for a new one.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ProblemException">A line is wrong; <see cref="Problem.Line"/> says which.</exception>
    public async Task<ImportReceipt> ImportFeedbackAsync(
        Stream file, ImportFormat format, string? idempotencyKey = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        var type = format == ImportFormat.Csv ? "text/csv" : "application/x-ndjson";
        idempotencyKey ??= Guid.NewGuid().ToString("N");
        using var response = await _connection.SendAsync(
            HttpMethod.Post, _path + "/feedback/import", Files.Content(file, type), file.CanSeek, hasTimeout: false, cancellationToken,
            request => request.Headers.Add("Idempotency-Key", idempotencyKey)).ConfigureAwait(false);
        return await Connection.ReadAsync(response, AnswerJson.Default.ImportReceipt, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>How far the learner is with its feedback.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<FeedbackStatus> GetFeedbackAsync(CancellationToken cancellationToken = default) =>
        _connection.GetAsync(_path + "/feedback", AnswerJson.Default.FeedbackStatus, cancellationToken);

    private static FeedbackRequest Keyed(FeedbackRequest request) =>
        request.IdempotencyKey is null ? request with { IdempotencyKey = Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture) } : request;

    private Task<T> PostAsync<TBody, T>(
        string path, TBody body, System.Text.Json.Serialization.Metadata.JsonTypeInfo<TBody> bodyType,
        System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, bool isRepeatable, CancellationToken cancellationToken) =>
        _connection.SendAsync(HttpMethod.Post, _path + path, body, bodyType, type, isRepeatable, cancellationToken);
}

/// <summary>Formats of files of feedback.</summary>
public enum ImportFormat
{
    /// <summary>A header, then one feedback a line.</summary>
    Csv,

    /// <summary>One <see cref="FeedbackRequest"/> a line.</summary>
    JsonLines,
}
