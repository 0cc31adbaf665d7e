using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Engram.Client;
using Engram.Server.Store;
using Engram.Server.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;

namespace Engram.Server.Api;

/// <summary>Answers with a problem (RFC 9457) whatever goes wrong; what only the service's own people should know goes into the log.</summary>
internal sealed partial class Problems(RequestDelegate next, ServerMetrics metrics, ILogger<Problems> log)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
            if (context.Response is { HasStarted: false, StatusCode: >= 400, ContentLength: null, ContentType: null })
                await WriteAsync(context, OfStatus(context));
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            if (!context.Response.HasStarted) context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest; // nobody reads it
        }
#pragma warning disable CA1031 // The one place where every exception of a request ends.
        catch (Exception problem)
        {
            var answer = Of(problem, context);
            if (context.Response.HasStarted)
            {
                Broken(log, problem, context.Request.Path);
                context.Abort(); // half an answer must not look whole
                return;
            }
            await WriteAsync(context, answer);
        }
#pragma warning restore CA1031
    }

    private Answer Of(Exception problem, HttpContext context)
    {
        switch (problem)
        {
            case RefusedException refused:
                return new(refused.Status, refused.Kind, refused.Field, refused.Message, refused.RetryAfter, refused.Line);
            case NotFoundException missing:
                return new(404, "not-found", missing.Field, Detail(missing));
            case ConflictException conflict:
                return new(409, "conflict", conflict.Field, Detail(conflict));
            case OverloadException overload:
                return new(429, "overload", overload.Field, Detail(overload), overload.RetryAfter);
            case ServiceException wrong: // a specification, an input
                return new(400, "bad-input", wrong.Field, Detail(wrong));
            case StoreBusyException:
                return new(429, "overload", "feedback", "more is waiting to be written than is taken in, expected another try later", TimeSpan.FromSeconds(1));
            case BadHttpRequestException { StatusCode: 413 }:
                return new(413, "too-large", "body", "more bytes than are taken in at once");
            case BadHttpRequestException bad: // a parameter in the address, a broken body
                return OfUnreadable(bad);
            case IOException:
                Failed(log, problem, context.Request.Path);
                return new(503, "storage", null, "the service cannot read or write its files now, expected another try later", TimeSpan.FromSeconds(10));
            case ObjectDisposedException: // a learner that was deleted, or a service that closed, under a request
                return new(503, "stopping", null, "what was asked for ends, expected another try later", TimeSpan.FromSeconds(1));
            case OperationCanceledException:
                return new(503, "stopping", null, "the work was stopped, expected another try later", TimeSpan.FromSeconds(1));
            default:
                Failed(log, problem, context.Request.Path);
                return new(500, "internal", null, "the service failed; its log says more under this traceId");
        }
    }

    /// <summary>What an exception says, without the field, which stands beside it.</summary>
    public static string Detail(ServiceException problem) =>
        problem.Message.StartsWith(problem.Field + ": ", StringComparison.Ordinal) ? problem.Message[(problem.Field.Length + 2)..] : problem.Message;

    private static Answer OfStatus(HttpContext context) => context.Response.StatusCode switch
    {
        404 => new(404, "not-found", null, "there is nothing at this address"),
        405 => new(405, "method", null, $"this address does not take {Shown.Text(context.Request.Method)}, expected {context.Response.Headers.Allow}"),
        415 => new(415, "media-type", "content-type", $"\"{Shown.Text(context.Request.ContentType ?? "")}\", expected another content type"),
        var status => new(status, Kind(status), null, ReasonPhrases.GetReasonPhrase(status)),
    };

    private static Answer OfUnreadable(BadHttpRequestException bad)
    {
        if (Parameter().Match(bad.Message) is { Success: true } parameter)
            return new(400, "bad-input", parameter.Groups[2].Value, $"\"{Shown.Text(parameter.Groups[3].Value)}\", expected {(parameter.Groups[1].Value == "string" ? "a value" : "a whole number")}");
        return bad.StatusCode switch
        {
            400 => new(400, "bad-input", null, "the request could not be read"),
            408 => new(408, Kind(408), null, "the request came too slowly"),
            431 => new(431, Kind(431), null, "the headers are too long"),
            var status => new(status, Kind(status), null, "the request could not be read"),
        };
    }

    // As minimal APIs say it of values in addresses.
    [GeneratedRegex("^Failed to bind parameter \"(\\w+).* (\\w+)\" from \"(.*)\"\\.$", RegexOptions.Singleline)]
    private static partial Regex Parameter();

    private static string Kind(int status) => ReasonPhrases.GetReasonPhrase(status).ToLowerInvariant().Replace(' ', '-');

    private async Task WriteAsync(HttpContext context, Answer answer)
    {
        metrics.Refused(answer.Kind);
        var response = context.Response;
        response.StatusCode = answer.Status;
        response.ContentType = "application/problem+json";
        if (answer.RetryAfter is { } wait)
            response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        if (HttpMethods.IsHead(context.Request.Method)) return;
        var problem = new Problem
        {
            Type = $"urn:engram:problem:{answer.Kind}",
            Title = ReasonPhrases.GetReasonPhrase(answer.Status) is { Length: > 0 } reason ? reason : "Problem",
            Status = answer.Status,
            Detail = answer.Detail,
            Field = answer.Field,
            Line = answer.Line,
            TraceId = Activity.Current?.TraceId.ToString() ?? context.TraceIdentifier,
        };
        var body = JsonSerializer.SerializeToUtf8Bytes(problem, Answers.Json.Problem);
        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body, context.RequestAborted);
    }

    private readonly record struct Answer(int Status, string Kind, string? Field, string Detail, TimeSpan? RetryAfter = null, long? Line = null);

    [LoggerMessage(20, LogLevel.Error, "a request to {Path} failed")]
    private static partial void Failed(ILogger log, Exception problem, string path);

    [LoggerMessage(21, LogLevel.Warning, "an answer to {Path} broke off")]
    private static partial void Broken(ILogger log, Exception problem, string path);
}
