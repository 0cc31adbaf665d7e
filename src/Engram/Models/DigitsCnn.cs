using TorchSharp.Modules;

namespace Engram.Models;

/// <summary>
/// The small CNN of Keras' and PyTorch's MNIST examples: conv 1→32 3×3, ReLU, conv 32→64 3×3, ReLU, max-pool 2,
/// dropout 0.25, 9216→128, ReLU, dropout 0.5.
/// </summary>
public sealed class DigitsCnn : Backbone, IMixedPrecision
{
    private readonly Sequential _layers;
    private readonly Conv2d _conv1 = nn.Conv2d(1, 32, 3);
    private readonly Conv2d _conv2 = nn.Conv2d(32, 64, 3);
    private readonly MaxPool2d _pool = nn.MaxPool2d(2);
    private readonly Dropout _dropout1 = nn.Dropout(0.25);
    private readonly Linear _fc1 = nn.Linear(9216, 128);
    private readonly Dropout _dropout2 = nn.Dropout(0.5);

    /// <summary>Creates it for one-channel images of 28 × 28.</summary>
    public DigitsCnn() : base("digits-cnn", 128)
    {
        _layers = nn.Sequential(
            ("conv1", _conv1), ("relu1", nn.ReLU(inplace: true)), ("conv2", _conv2), ("pool", _pool), ("relu2", nn.ReLU(inplace: true)),
            ("dropout1", _dropout1), ("flatten", nn.Flatten()), ("fc1", _fc1), ("relu3", nn.ReLU(inplace: true)), ("dropout2", _dropout2));
        register_module("layers", _layers);
    }

    /// <inheritdoc/>
    public override string Architecture => "digits-cnn";

    /// <inheritdoc/>
    public Precision Precision { get; set; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        // With its only channel last, all that follows has channels last: products, pooling and their gradients then take the pixels as
        // they lie, where planes would be laid out anew before each and after it. Pooling comes before ReLU, which it leaves a quarter
        // of the numbers: the larger of two is the same before and after.
        var image = input.squeeze(1).unsqueeze(3).permute(0, 3, 1, 2);
        if (Precision == Precision.Float32) return _layers.call(image);
        var hidden = BFloat16Layers.Apply(_conv2, BFloat16Layers.Apply(_conv1, image).relu_());
        hidden = BFloat16Layers.Apply(_dropout1, _pool.call(hidden).relu_()).flatten(1);
        return BFloat16Layers.Apply(_dropout2, BFloat16Layers.Apply(_fc1, hidden).relu_()).to(ScalarType.Float32);
    }
}
