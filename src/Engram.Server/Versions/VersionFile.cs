using System.Text.Json;
using System.Text.Json.Nodes;
using Engram.Client;
using Engram.Persistence;
using Engram.Server.Serving;

namespace Engram.Server.Versions;

/// <summary>
/// What a version's folder says besides its bundle, in <c>version.json</c>. Bundle and file come into place by one rename, so that what
/// was learnt and the place in the feedback up to which it was learnt are never apart.
/// </summary>
internal sealed record VersionFile
{
    public const string FileName = "version.json";
    private const int MostBytes = 16 << 20;
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Which learner's feedback the cursor is a place in.</summary>
    public required string Learner { get; init; }

    /// <summary>Its number.</summary>
    public required int Version { get; init; }

    /// <summary>The version it was made from.</summary>
    public int? Parent { get; init; }

    /// <summary>Up to where in the feedback it has learnt.</summary>
    public required long Cursor { get; init; }

    /// <summary>Up to where in the feedback it has unlearnt what was revoked: its cursor, or further on.</summary>
    public required long Unlearnt { get; init; }

    /// <summary>When it was learnt.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>What its encoder measured on the first samples.</summary>
    public JsonObject? Measured { get; init; }

    /// <summary>What its scores mean.</summary>
    public required Calibration Calibration { get; init; }

    /// <summary>What it has learnt of each class.</summary>
    public IReadOnlyList<ClassContent> Classes { get; init; } = [];

    /// <summary>Writes it into a folder.</summary>
    public void Write(string folder)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(this, s_json);
        AtomicFile.Write(Path.Combine(folder, FileName), stream => stream.Write(bytes));
    }

    /// <summary>Reads it; null where the folder has none.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static VersionFile? Read(string folder)
    {
        var file = new FileInfo(Path.Combine(folder, FileName));
        if (!file.Exists) return null;
        try
        {
            if (file.Length > MostBytes) throw new InvalidDataException($"{file.Length} bytes, expected at most {MostBytes}");
            return JsonSerializer.Deserialize<VersionFile>(File.ReadAllBytes(file.FullName), s_json)
                ?? throw new InvalidDataException("null, expected an object");
        }
        catch (Exception problem) when (problem is JsonException or InvalidDataException or NotSupportedException)
        {
            throw new InvalidDataException($"{file.FullName}: damaged ({problem.Message})", problem);
        }
    }
}
