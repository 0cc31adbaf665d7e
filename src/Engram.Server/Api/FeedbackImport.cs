using System.Text;
using Engram.Client;
using Engram.Server.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Engram.Server.Api;

/// <summary>Takes in a file of feedback as it streams in, some hundreds of lines at a time.</summary>
internal sealed class FeedbackImport
{
    public const string CsvType = "text/csv";
    public const string JsonLinesType = "application/x-ndjson";
    private const int AtATime = 500;

    private readonly LearnerHost _learner;
    private readonly string? _key;
    private readonly CancellationToken _end;
    private readonly List<(long Line, FeedbackRequest Feedback)> _waiting = new(AtATime);
    private ImportReceipt _receipt = new(0, 0, 0, 0, 0);

    private FeedbackImport(HttpContext context) =>
        (_learner, _key, _end) = (context.Learner(), FeedbackEndpoints.Key(context), context.RequestAborted);

    /// <summary>Takes in the body of a request.</summary>
    public static async Task<ImportReceipt> RunAsync(HttpContext context, RequestLimits limits)
    {
        _ = MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type);
        var import = new FeedbackImport(context);
        try
        {
            if (type?.MediaType == JsonLinesType) await import.ReadJsonAsync(new(context.Request.BodyReader, EngramJson.Default.FeedbackRequest, limits.MaxLineBytes));
            else if (type?.MediaType == CsvType) await import.ReadCsvAsync(context.Request.Body, limits.MaxLineBytes);
            else throw new RefusedException(415, "media-type", "content-type", $"\"{Shown.Text(context.Request.ContentType ?? "")}\", expected {CsvType} or {JsonLinesType}");
        }
        catch (DecoderFallbackException)
        {
            throw RefusedException.BadInput("body", "is no valid UTF-8");
        }
        await import.StoreAsync();
        return import._receipt;
    }

    private async Task ReadJsonAsync(JsonLines<FeedbackRequest> lines)
    {
        while (true)
        {
            FeedbackRequest? feedback;
            try
            {
                feedback = await lines.ReadAsync(_end);
            }
            catch (RefusedException problem)
            {
                throw await AfterStoringAsync(problem);
            }
            if (feedback is null) return;
            await AddAsync(lines.Line, feedback);
        }
    }

    private async Task ReadCsvAsync(Stream body, int mostCharacters)
    {
        using var text = new StreamReader(body, new UTF8Encoding(false, throwOnInvalidBytes: true), detectEncodingFromByteOrderMarks: false, leaveOpen: true);
        var records = new CsvRecords(text, mostCharacters);
        if (await records.ReadAsync(_end) is not { } header) return;
        var columns = new CsvColumns(header, _learner.Describe().Specification.Input);
        while (true)
        {
            FeedbackRequest feedback;
            try
            {
                if (await records.ReadAsync(_end) is not { } record) return;
                feedback = columns.Read(record, records.Line);
            }
            catch (RefusedException problem)
            {
                throw await AfterStoringAsync(problem);
            }
            await AddAsync(records.Line, feedback);
        }
    }

    private async Task AddAsync(long line, FeedbackRequest feedback)
    {
        _waiting.Add((line, _key is { } key ? FeedbackEndpoints.Keyed(feedback, key, line) : feedback));
        if (_waiting.Count == AtATime) await StoreAsync();
    }

    // What stood before a wrong line is stored, whether it came in the same portion or not.
    private async Task<RefusedException> AfterStoringAsync(RefusedException problem)
    {
        await StoreAsync();
        return problem;
    }

    private async Task StoreAsync()
    {
        if (_waiting.Count == 0) return;
        try
        {
            Count((await _learner.AcceptAsync(new FeedbackBatchRequest([.. _waiting.Select(item => item.Feedback)]), _end)).Receipts);
        }
        catch (InputException)
        {
            await StoreOneByOneAsync();
        }
        _waiting.Clear();
    }

    // One of them is wrong and none was stored: find it, storing those before it.
    private async Task StoreOneByOneAsync()
    {
        foreach (var (line, feedback) in _waiting)
        {
            try
            {
                Count([await _learner.AcceptAsync(feedback, _end)]);
            }
            catch (InputException problem)
            {
                throw RefusedException.BadInput(problem.Field, Problems.Detail(problem), line);
            }
        }
    }

    private void Count(IReadOnlyList<FeedbackReceipt> receipts) => _receipt = new ImportReceipt(
        _receipt.Lines + receipts.Count,
        _receipt.Accepted + receipts.Count(receipt => receipt.State == FeedbackState.Accepted),
        _receipt.Waiting + receipts.Count(receipt => receipt.State == FeedbackState.Waiting),
        _receipt.Duplicates + receipts.Count(receipt => receipt.State == FeedbackState.Duplicate),
        receipts[^1].Sequence);
}
