using TorchSharp.Modules;

namespace Engram.Models;

/// <summary>Fully connected layers, each followed by ReLU; the input is flattened.</summary>
public sealed class Mlp : Backbone, IGatedBackbone, IMixedPrecision
{
    private readonly Linear[] _layers;
    private readonly int _inputs;

    /// <summary>Creates it.</summary>
    /// <param name="inputs">Numbers per sample, for example 784.</param>
    /// <param name="widths">Width of each hidden layer; at least one.</param>
    public Mlp(int inputs, params int[] widths) : base("mlp", Validate(inputs, widths)[^1])
    {
        _inputs = inputs;
        _layers = new Linear[widths.Length];
        for (var i = 0; i < widths.Length; i++)
        {
            _layers[i] = nn.Linear(i == 0 ? inputs : widths[i - 1], widths[i]);
            register_module($"fc{i + 1}", _layers[i]);
        }
    }

    /// <inheritdoc/>
    public override string Architecture => $"mlp {_inputs}-{string.Join('-', _layers.Select(layer => layer.out_features))}";

    /// <inheritdoc/>
    public IReadOnlyList<int> GateWidths => [.. _layers.Select(layer => (int)layer.out_features)];

    /// <inheritdoc/>
    public IReadOnlyList<Tensor>? Gates { get; set; }

    /// <inheritdoc/>
    public Precision Precision { get; set; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var hidden = input.dim() == 2 ? input : input.flatten(1);
        for (var i = 0; i < _layers.Length; i++)
        {
            hidden = Precision == Precision.Float32
                ? _layers[i].call(hidden).relu_() // call, not forward: it runs the hooks
                : BFloat16Layers.Apply(_layers[i], hidden).relu_();
            if (Gates is not null) hidden = hidden.mul(Gates[i]);
        }
        return Precision == Precision.Float32 ? hidden : hidden.to(ScalarType.Float32);
    }

    internal static int[] Validate(int inputs, int[] widths)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(inputs, 1);
        ArgumentNullException.ThrowIfNull(widths);
        return widths.Length > 0 && widths.All(width => width > 0)
            ? widths
            : throw new ArgumentException(
                $"widths: [{string.Join(", ", widths)}], expected one or more positive widths", nameof(widths));
    }
}
