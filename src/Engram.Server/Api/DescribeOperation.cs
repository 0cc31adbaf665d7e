using Engram.Client;
using Engram.Server.Security;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.OpenApi;

namespace Engram.Server.Api;

/// <summary>Adds to an operation what its handler's signature does not say: the learner in its address, headers, who may call it, and common problems.</summary>
internal sealed class DescribeOperation : IOpenApiOperationTransformer
{
    private static readonly Dictionary<string, string> s_parameters = new(StringComparer.Ordinal)
    {
        ["name"] = "The learner's name.",
        ["version"] = "The version's number.",
        ["from"] = "The first version's number.",
        ["to"] = "The second version's number.",
        ["alias"] = "The alias.",
        ["id"] = "The id.",
        ["subject"] = "The subject, percent-encoded.",
        ["reason"] = "Why, in words, for the audit log.",
        ["learner"] = "Only changes of this learner.",
        ["limit"] = "At most as many, 1 to 10,000.",
        ["after"] = "Only events after this number.",
    };

    private static readonly Dictionary<string, string> s_answers = new(StringComparer.Ordinal)
    {
        ["200"] = "Done.",
        ["201"] = "Made.",
        ["204"] = "Done; there is nothing to say.",
        ["400"] = "Something in the request is wrong; field names it.",
        ["401"] = "No key was sent, or one that is not known or has ended.",
        ["403"] = "The key does not allow this.",
        ["404"] = "It is not there, or not for this key.",
        ["409"] = "The present state does not allow this.",
        ["413"] = "Larger than is taken in at once.",
        ["415"] = "Of another content type than expected.",
        ["429"] = "Too much waits, or too many requests came with this key; Retry-After says when to try again.",
        ["503"] = "The service starts, stops, or cannot reach its files; Retry-After says when to try again.",
    };

    public async Task TransformAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        AddPath(operation, context.Description.RelativePath ?? "");
        foreach (var parameter in (operation.Parameters ?? []).OfType<OpenApiParameter>())
            parameter.Description ??= s_parameters.GetValueOrDefault(parameter.Name ?? "");
        if (operation.OperationId?.StartsWith("SendFeedback", StringComparison.Ordinal) == true || operation.OperationId == "ImportFeedback")
            AddHeader(operation, FeedbackEndpoints.KeyHeader, "Makes repeats harmless, for feedback without an idempotencyKey of its own.");
        if (operation.OperationId == "ImportFeedback") operation.RequestBody = File("A file of feedback.", FeedbackImport.CsvType, FeedbackImport.JsonLinesType);
        if (operation.OperationId == "ImportVersion") operation.RequestBody = File("A bundle.", VersionEndpoints.Zip);
        if (operation.OperationId == "GetEvents")
            AddHeader(operation, "Last-Event-ID", "Only events after this number.");

        var rule = context.Description.ActionDescriptor.EndpointMetadata.OfType<AccessRule>().LastOrDefault();
        if (rule?.Role is { } role)
        {
            operation.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(DescribeDocument.SchemeName, context.Document)] = [] }];
            operation.Description = $"{operation.Description} Role: {role.ToString().ToLowerInvariant()}{(rule.AllLearners ? ", of all learners" : "")}.".TrimStart();
            foreach (var status in (int[])[401, 403, 429, 503]) await AddProblemAsync(operation, context, status, cancellationToken);
        }
        operation.Responses ??= [];
        foreach (var (status, answer) in operation.Responses)
        {
            if (answer is OpenApiResponse response && s_answers.TryGetValue(status, out var words)) response.Description = words;
        }
    }

    private static void AddPath(OpenApiOperation operation, string path)
    {
        operation.Parameters ??= [];
        foreach (var name in path.Split('/').Where(part => part.StartsWith('{')).Select(part => part.Trim('{', '}')))
        {
            if (operation.Parameters.Any(parameter => parameter.Name == name)) continue;
            operation.Parameters.Insert(0, new OpenApiParameter
            {
                Name = name,
                In = ParameterLocation.Path,
                Required = true,
                Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            });
        }
    }

    private static OpenApiRequestBody File(string description, params string[] types) => new()
    {
        Description = description,
        Required = true,
        Content = types.ToDictionary(type => type, _ => new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.String } }),
    };

    private static void AddHeader(OpenApiOperation operation, string name, string description) => operation.Parameters!.Add(new OpenApiParameter
    {
        Name = name,
        In = ParameterLocation.Header,
        Description = description,
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
    });

    private static async Task AddProblemAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, int status, CancellationToken cancellationToken)
    {
        operation.Responses ??= [];
        var schema = await context.GetOrCreateSchemaAsync(typeof(Problem), null, cancellationToken);
        context.Document?.AddComponent(nameof(Problem), schema);
        operation.Responses.TryAdd($"{status}", new OpenApiResponse
        {
            Description = ReasonPhrases.GetReasonPhrase(status),
            Content = new Dictionary<string, OpenApiMediaType>
            {
                ["application/problem+json"] = new() { Schema = new OpenApiSchemaReference(nameof(Problem), context.Document) },
            },
        });
    }
}
