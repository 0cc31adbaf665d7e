using TorchSharp.Modules;

namespace Engram.Models;

/// <summary>
/// The small CNN of Keras' and PyTorch's MNIST examples: conv 1→32 3×3, ReLU, conv 32→64 3×3, ReLU, max-pool 2,
/// dropout 0.25, 9216→128, ReLU, dropout 0.5.
/// </summary>
public sealed class DigitsCnn : Backbone, IMixedPrecision
{
    private readonly Sequential _layers;

    /// <summary>Creates it for one-channel images of 28 × 28.</summary>
    public DigitsCnn() : base("digits-cnn", 128)
    {
        _layers = nn.Sequential(
            ("conv1", nn.Conv2d(1, 32, 3)), ("relu1", nn.ReLU(inplace: true)),
            ("conv2", nn.Conv2d(32, 64, 3)), ("relu2", nn.ReLU(inplace: true)),
            ("pool", nn.MaxPool2d(2)), ("dropout1", nn.Dropout(0.25)), ("flatten", nn.Flatten()),
            ("fc1", nn.Linear(9216, 128)), ("relu3", nn.ReLU(inplace: true)), ("dropout2", nn.Dropout(0.5)));
        register_module("layers", _layers);
    }

    /// <inheritdoc/>
    public override string Architecture => "digits-cnn";

    /// <inheritdoc/>
    public Precision Precision { get; set; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        if (Precision == Precision.Float32) return _layers.call(input);
        var hidden = input;
        foreach (var layer in _layers.children())
            hidden = layer switch
            {
                Conv2d convolution => BFloat16Layers.Apply(convolution, hidden),
                Linear linear => BFloat16Layers.Apply(linear, hidden),
                nn.Module<Tensor, Tensor> other => other.call(hidden),
                _ => throw new InvalidOperationException($"layer: {layer.GetName()}, expected one of a tensor"),
            };
        return hidden.to(ScalarType.Float32);
    }
}
