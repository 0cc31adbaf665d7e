using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Engram.Cli.Experiments;
using Engram.Evaluation;

namespace Engram.Cli.Commands.Tune;

/// <summary>One measurement of a search: settings, on how much, and a seed.</summary>
/// <param name="Text">The experiment's file with the trial's values, without what is not the trial's.</param>
/// <param name="Strategy">Name of the strategy.</param>
/// <param name="Seed">Seed.</param>
/// <param name="Share">Share of the training samples.</param>
/// <param name="Validation">Share set aside to measure with.</param>
/// <param name="Data">Fingerprint of the data.</param>
/// <param name="Reader">Fingerprint of the sources that read them, as <see cref="DataSets.ReaderOf"/> has it.</param>
internal sealed record TrialCell(string Text, string Strategy, long Seed, double Share, double Validation, string Data, string? Reader = null)
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    // The library learns, and this program reads the file.
    private static readonly string s_code = RunEnvironment.SourcesOf(typeof(RunEnvironment).Assembly, typeof(TrialCell).Assembly);

    /// <summary>A file name for its result: the same cell, computed by the same code from the same data, has the same.</summary>
    [JsonIgnore]
    public string Key => $"trial-{Fingerprint(this)}";

    /// <summary>Tells what is computed apart, by all that bears on it and by the code that computes it.</summary>
    /// <param name="what">What bears on it.</param>
    public static string Fingerprint<T>(T what) =>
        Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(new { What = what, Code = s_code }, s_json)))[..16];

    /// <summary>The file of its result.</summary>
    public string FileIn(string folder) => Path.Combine(folder, Key + ".json");

    /// <summary>Reads the cell that a parent wrote for its child.</summary>
    public static TrialCell Read(string path) => JsonSerializer.Deserialize<TrialCell>(File.ReadAllText(path), s_json)!;

    /// <summary>Reads what a cell came to; null where it was not measured.</summary>
    /// <exception cref="UsageException">The file is damaged.</exception>
    public Measured? ResultIn(string folder)
    {
        var path = FileIn(folder);
        if (!File.Exists(path)) return null;
        try
        {
            return Measured.FromJson(File.ReadAllText(path));
        }
        catch (FormatException problem)
        {
            throw new UsageException($"{path}: damaged ({problem.Message}), expected a trial's result; without the file it is measured again", problem);
        }
    }

    /// <summary>Itself as JSON, for its child.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, s_json);

    /// <summary>What a cell came to.</summary>
    /// <param name="Seconds">Time it took, interruptions not counted.</param>
    /// <param name="Result">Everything measured, on validation samples.</param>
    internal sealed record Measured(double Seconds, StrategyResult Result)
    {
        /// <summary>Reads what <see cref="ToJson"/> wrote; only the library knows a sound result.</summary>
        /// <exception cref="FormatException">It is something else; the message names the field.</exception>
        public static Measured FromJson(string json)
        {
            try
            {
                using var document = JsonDocument.Parse(json);
                var root = document.RootElement;
                if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("result", out var result) || !root.TryGetProperty("seconds", out var seconds))
                    throw new FormatException("trial: expected an object with seconds and result");
                return seconds.ValueKind == JsonValueKind.Number && seconds.GetDouble() is >= 0 and var time
                    ? new Measured(time, StrategyResult.FromJson(result.GetRawText()))
                    : throw new FormatException($"seconds: {seconds.GetRawText()}, expected 0 or more");
            }
            catch (JsonException problem)
            {
                throw new FormatException($"trial: no JSON (line {problem.LineNumber + 1})", problem);
            }
        }

        public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, s_json);
    }
}
