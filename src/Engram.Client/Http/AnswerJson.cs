using System.Text.Json;
using System.Text.Json.Serialization;

namespace Engram.Client.Http;

/// <summary>How a client reads answers: a newer service may say more than this client knows.</summary>
internal static class AnswerJson
{
    public static EngramJson Default { get; } = new(new JsonSerializerOptions(EngramJson.Default.Options)
    {
        TypeInfoResolver = null,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip,
        RespectNullableAnnotations = false,
        RespectRequiredConstructorParameters = false,
        MaxDepth = 64,
    });
}
