using System.Text.Json;
using System.Text.Json.Serialization;

namespace Engram.Cli.Progress;

/// <summary>One event for programs: a line of JSON.</summary>
internal static class JsonLine
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    public static void Write<T>(TextWriter output, T value)
    {
        output.WriteLine(JsonSerializer.Serialize(value, s_json));
        output.Flush();
    }
}
