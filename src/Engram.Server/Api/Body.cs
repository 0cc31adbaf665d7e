using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Engram.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;

namespace Engram.Server.Api;

/// <summary>The body of a request as JSON; what is wrong with it is told by field.</summary>
/// <typeparam name="T">A contract.</typeparam>
/// <param name="Value">The body.</param>
internal sealed record Body<T>(T Value) : IEndpointParameterMetadataProvider where T : class
{
    private const string Json = "application/json";
    private static readonly JsonTypeInfo<T> s_type = (JsonTypeInfo<T>)EngramJson.Default.GetTypeInfo(typeof(T))!;

    /// <summary>Reads the body.</summary>
    public static async ValueTask<Body<T>?> BindAsync(HttpContext context, ParameterInfo parameter)
    {
        var request = context.Request;
        // Reasons may be left out altogether.
        if (typeof(T) == typeof(ReasonRequest) && context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false })
            return new Body<T>((T)(object)new ReasonRequest());
        if (!IsJson(request.ContentType))
            throw new RefusedException(415, "media-type", "content-type", $"\"{Shown.Text(request.ContentType ?? "")}\", expected {Json}");
        try
        {
            var value = await JsonSerializer.DeserializeAsync(request.BodyReader, s_type, context.RequestAborted);
            return new Body<T>(value ?? throw RefusedException.BadInput("body", "null, expected an object"));
        }
        catch (JsonException problem)
        {
            throw JsonProblem.Of(problem, s_type, null);
        }
    }

    /// <inheritdoc/>
    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) =>
        builder.Metadata.Add(new AcceptsMetadata([Json], typeof(T)));

    // "application/json", with "charset=utf-8" or without.
    private static bool IsJson(string? type) =>
        type is not null
        && type.StartsWith(Json, StringComparison.OrdinalIgnoreCase)
        && (type.Length == Json.Length || (type[Json.Length] is ';' or ' ' && IsUtf8(type)));

    private static bool IsUtf8(string type) =>
        !type.Contains("charset", StringComparison.OrdinalIgnoreCase) || type.Contains("utf-8", StringComparison.OrdinalIgnoreCase);
}
