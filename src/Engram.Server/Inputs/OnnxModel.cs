using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.ML.OnnxRuntime;

namespace Engram.Server.Inputs;

/// <summary>An ONNX file of the user's, by which versions know it again. Safe for use by many threads at once.</summary>
internal sealed class OnnxModel : IDisposable
{
    private const string Digest = "encoder";
    private readonly string _path;
    private readonly string _sha256;

    /// <exception cref="SpecificationException">The file is no model.</exception>
    public OnnxModel(string path)
    {
        _path = path;
        using (var file = File.OpenRead(path)) _sha256 = Convert.ToHexStringLower(SHA256.HashData(file));
        try
        {
            using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
            Session = new InferenceSession(path, options);
        }
        catch (OnnxRuntimeException problem)
        {
            throw Refused(
                $"{Name} cannot be read, expected an ONNX model ({problem.Message.Split('\n')[0].Replace(path, Name, StringComparison.Ordinal)})");
        }
        Output = Session.OutputMetadata.First().Key;
    }

    public InferenceSession Session { get; }

    /// <summary>The first output.</summary>
    public string Output { get; }

    /// <summary>Name of the file.</summary>
    public string Name => Path.GetFileName(_path);

    /// <summary>What a version keeps of it: its checksum.</summary>
    public JsonObject Measured => new() { [Digest] = _sha256 };

    /// <summary>The file of an encoder; its name can name no other folder.</summary>
    public static string PathOf(string encoders, string name) =>
        name.Length > 0 && name == Path.GetFileName(name) && name is not ("." or "..") && !name.Contains('\\', StringComparison.Ordinal)
            && File.Exists(Path.Combine(encoders, name))
                ? Path.Combine(encoders, name)
                : throw new SpecificationException("input.encoder", $"input.encoder: {name}, expected the name of a file in the service's folder encoders");

    public static SpecificationException Refused(string what) => new("input.encoder", $"input.encoder: {what}");

    /// <summary>Refuses a version that learnt the features of another file.</summary>
    /// <exception cref="InvalidDataException">The checksums differ.</exception>
    public void Check(JsonObject? measured)
    {
        if (measured?[Digest]?.GetValue<string>() is { } before && before != _sha256)
            throw new InvalidDataException($"input.encoder: {Name} is another file than the version learnt with (SHA-256 {_sha256}, expected {before})");
    }

    /// <summary>Runs it.</summary>
    /// <returns>The first output, with 0 for what is no number, and its shape.</returns>
    public (float[] Values, long[] Shape) Run(IReadOnlyList<string> names, IReadOnlyList<OrtValue> inputs)
    {
        using var options = new RunOptions();
        using var outputs = Session.Run(options, names, inputs, [Output]);
        var values = outputs[0].GetTensorDataAsSpan<float>().ToArray();
        // A feature that is no number must not spoil the answers of others in the same batch.
        foreach (ref var value in values.AsSpan())
            if (!float.IsFinite(value)) value = 0;
        return (values, outputs[0].GetTensorTypeAndShape().Shape);
    }

    public void Dispose() => Session.Dispose();
}
