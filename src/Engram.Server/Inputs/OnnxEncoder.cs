using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using static TorchSharp.torch;

namespace Engram.Server.Inputs;

/// <summary>Arrays of numbers that an ONNX model of the user's turns into features; kept as float32, before the model.</summary>
internal sealed class OnnxEncoder : InputEncoder
{
    private readonly InferenceSession _session;
    private readonly int _size;
    private readonly string _input;
    private readonly string _output;
    private readonly long[] _shape; // of one input, without the batch
    private readonly bool _single; // the model takes one sample at a time

    /// <exception cref="SpecificationException">The file is no model, or one that does not fit.</exception>
    public OnnxEncoder(string path, int size)
    {
        _size = size;
        try
        {
            using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
            _session = new InferenceSession(path, options);
        }
        catch (OnnxRuntimeException problem)
        {
            throw new SpecificationException(
                "input.encoder", $"input.encoder: {Path.GetFileName(path)} cannot be read, expected an ONNX model ({problem.Message.Split('\n')[0].Replace(path, Path.GetFileName(path), StringComparison.Ordinal)})");
        }
        try
        {
            (_input, var metadata) = _session.InputMetadata.First();
            _output = _session.OutputMetadata.First().Key;
            if (metadata.ElementType != typeof(float) || metadata.Dimensions.Length < 2)
                throw Refused($"takes {metadata.ElementType.Name} [{string.Join(", ", metadata.Dimensions)}], expected float [batch, ...]");
            _shape = ShapeOf(metadata.Dimensions[1..]);
            _single = metadata.Dimensions[0] == 1;
            Shape = [Run(new float[size], 1).Length];
        }
        catch (Exception problem)
        {
            _session.Dispose();
            if (problem is not OnnxRuntimeException) throw;
            throw Refused($"fails on zeros, expected features ({problem.Message.Split('\n')[0]})");
        }
    }

    public override IReadOnlyList<long> Shape { get; }

    /// <summary>The file of an encoder; its name can name no other folder.</summary>
    public static string PathOf(string encoders, string name) =>
        name.Length > 0 && name == Path.GetFileName(name) && name is not ("." or "..") && !name.Contains('\\', StringComparison.Ordinal)
            && File.Exists(Path.Combine(encoders, name))
                ? Path.Combine(encoders, name)
                : throw new SpecificationException("input.encoder", $"input.encoder: {name}, expected the name of a file in the service's folder encoders");

    public override byte[] Pack(JsonElement input, string field) => VectorEncoder.Floats.Pack(input, field, _size);

    public override JsonElement Unpack(ReadOnlySpan<byte> packed) => VectorEncoder.Floats.Unpack(packed);

    public override Tensor Encode(IReadOnlyList<byte[]> rows)
    {
        var width = (int)Shape[0];
        var features = empty(rows.Count, width);
        var room = MemoryMarshal.Cast<byte, float>(features.bytes);
        var step = _single ? 1 : rows.Count;
        for (var start = 0; start < rows.Count; start += step)
        {
            var numbers = new float[step * _size];
            for (var i = 0; i < step; i++) rows[start + i].CopyTo(MemoryMarshal.AsBytes(numbers.AsSpan(i * _size, _size)));
            Run(numbers, step).CopyTo(room[(start * width)..]);
        }
        return features;
    }

    public override void Dispose() => _session.Dispose();

    private float[] Run(float[] numbers, int rows)
    {
        using var input = OrtValue.CreateTensorValueFromMemory(numbers, [rows, .. _shape]);
        using var options = new RunOptions();
        using var outputs = _session.Run(options, [_input], [input], [_output]);
        var features = outputs[0].GetTensorDataAsSpan<float>().ToArray();
        // A feature that is no number must not spoil the answers of others in the same batch.
        foreach (ref var feature in features.AsSpan())
            if (!float.IsFinite(feature)) feature = 0;
        return features;
    }

    private long[] ShapeOf(int[] sizes)
    {
        if (sizes.Length == 1 && (sizes[0] == _size || sizes[0] < 0)) return [_size];
        if (sizes.Any(size => size < 0)) throw Refused($"takes [batch, {string.Join(", ", sizes)}], expected known sizes but for the batch");
        var numbers = sizes.Aggregate(1L, (product, size) => product * size);
        return numbers == _size
            ? [.. sizes.Select(size => (long)size)]
            : throw new SpecificationException("input.size", $"input.size: {_size}, expected {numbers} as the encoder takes [batch, {string.Join(", ", sizes)}]");
    }

    private static SpecificationException Refused(string what) => new("input.encoder", $"input.encoder: {what}");
}
