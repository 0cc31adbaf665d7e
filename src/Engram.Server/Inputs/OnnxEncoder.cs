using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.OnnxRuntime;
using static TorchSharp.torch;

namespace Engram.Server.Inputs;

/// <summary>Arrays of numbers that an ONNX model of the user's turns into features; kept as float32, before the model.</summary>
internal sealed class OnnxEncoder : InputEncoder
{
    private readonly OnnxModel _model;
    private readonly int _size;
    private readonly string _input;
    private readonly long[] _shape; // of one input, without the batch
    private readonly bool _single; // the model takes one sample at a time

    /// <exception cref="SpecificationException">The file is no model, or one that does not fit.</exception>
    public OnnxEncoder(string path, int size)
    {
        (_size, _model) = (size, new OnnxModel(path));
        try
        {
            (_input, var metadata) = _model.Session.InputMetadata.First();
            if (metadata.ElementType != typeof(float) || metadata.Dimensions.Length < 2)
                throw OnnxModel.Refused($"takes {metadata.ElementType.Name} [{string.Join(", ", metadata.Dimensions)}], expected float [batch, ...]");
            _shape = ShapeOf(metadata.Dimensions[1..]);
            _single = metadata.Dimensions[0] == 1;
            Shape = [Run(new float[size], 1).Length];
        }
        catch (Exception problem)
        {
            _model.Dispose();
            if (problem is not OnnxRuntimeException) throw;
            throw OnnxModel.Refused($"fails on zeros, expected features ({problem.Message.Split('\n')[0]})");
        }
    }

    public override IReadOnlyList<long> Shape { get; }

    public override JsonObject? Measured => _model.Measured;

    protected override byte[] Read(JsonElement input, string field) => VectorEncoder.Floats.Pack(input, field, _size);

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

    public override InputEncoder With(JsonObject? measured)
    {
        _model.Check(measured);
        return this;
    }

    public override void Dispose() => _model.Dispose();

    private float[] Run(float[] numbers, int rows)
    {
        using var input = OrtValue.CreateTensorValueFromMemory(numbers, [rows, .. _shape]);
        return _model.Run([_input], [input]).Values;
    }

    private long[] ShapeOf(int[] sizes)
    {
        if (sizes.Length == 1 && (sizes[0] == _size || sizes[0] < 0)) return [_size];
        if (sizes.Any(size => size < 0)) throw OnnxModel.Refused($"takes [batch, {string.Join(", ", sizes)}], expected known sizes but for the batch");
        var numbers = sizes.Aggregate(1L, (product, size) => product * size);
        return numbers == _size
            ? [.. sizes.Select(size => (long)size)]
            : throw new SpecificationException("input.size", $"input.size: {_size}, expected {numbers} as the encoder takes [batch, {string.Join(", ", sizes)}]");
    }
}
