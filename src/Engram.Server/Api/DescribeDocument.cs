using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Engram.Server.Api;

/// <summary>Says what the service is and how callers show who they are.</summary>
internal sealed class DescribeDocument : IOpenApiDocumentTransformer
{
    public const string SchemeName = "key";

    public Task TransformAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        document.Info = new OpenApiInfo
        {
            Title = "Engram",
            Version = "v1",
            Description = "Models that learn while they serve: ask for predictions, send feedback whenever the truth is known, and the learner examines "
                + "and publishes better versions of itself.\n\nProblems are answered as RFC 9457 says, with `field` naming what was wrong.",
            License = new OpenApiLicense { Name = "MIT", Identifier = "MIT" },
        };
        document.Servers = [new OpenApiServer { Url = "/", Description = "This service." }];
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
        document.Components.SecuritySchemes[SchemeName] = new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            BearerFormat = "ek_<id>_<secret>",
            Description = "A key, as the service shows it once when it is made.",
        };
        document.Tags = new HashSet<OpenApiTag>(s_tags.Select(tag => new OpenApiTag { Name = tag.Name, Description = tag.Description }));
        foreach (var schema in document.Components.Schemas?.Values.OfType<OpenApiSchema>() ?? []) DescribeInputs(schema);
        return Task.CompletedTask;
    }

    // An input that may be missing is described where it is defined only.
    private static void DescribeInputs(OpenApiSchema schema)
    {
        foreach (var property in schema.Properties?.Values.OfType<OpenApiSchema>() ?? [])
            property.Description ??= property.OneOf?.Select(one => one.Description).FirstOrDefault(description => description is not null);
    }

    private static readonly (string Name, string Description)[] s_tags =
    [
        ("Learners", "Create, list, describe, pause, resume and delete learners."),
        ("Predictions", "Ask for labels."),
        ("Feedback", "Tell the truth."),
        ("Versions", "History, decisions, roll back, export and import."),
        ("Examples", "Inputs whose labels must never be lost."),
        ("Watching", "Drift, accuracy, latency, events."),
        ("Subjects", "What is stored about whom."),
        ("Keys", "Who may do what."),
        ("Audit", "Who changed what, and why."),
        ("Health", "Whether the service is well."),
    ];
}
