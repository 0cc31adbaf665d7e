using System.Text.Encodings.Web;
using System.Text.Json;
using Engram.Client;

namespace Engram.Server.Api;

/// <summary>How answers are written: as the contracts are, with every language's letters as they are.</summary>
/// <remarks>Answers are never part of a page: their type is JSON, and browsers are told not to guess another.</remarks>
internal static class Answers
{
    public static EngramJson Json { get; } = new(new JsonSerializerOptions(EngramJson.Default.Options)
    {
        TypeInfoResolver = null,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
