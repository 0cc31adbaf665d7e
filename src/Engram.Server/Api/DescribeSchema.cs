using System.Text.Json;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Engram.Server.Api;

/// <summary>Says of inputs and mechanisms that they may be any JSON, which an empty schema does not say to people.</summary>
internal sealed class DescribeSchema : IOpenApiSchemaTransformer
{
    public Task TransformAsync(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancellationToken)
    {
        if (context.JsonTypeInfo.Type == typeof(JsonElement) || context.JsonTypeInfo.Type == typeof(JsonElement?))
            schema.Description ??= "An input, as the learner's schema says: an array of numbers, a string, or an object. Or a mechanism: a name, or an object of one name with its options.";
        return Task.CompletedTask;
    }
}
