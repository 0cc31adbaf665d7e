namespace Engram.Models;

/// <summary>
/// LeNet-5 (LeCun, Bottou, Bengio and Haffner 1998, section II.B) up to its layer of 84: conv 6 5×5, pool, conv 16 5×5, pool,
/// 120, 84.
/// </summary>
/// <remarks>As in today's practice: ReLU and max-pooling, and all maps of the second convolution see all of the first.</remarks>
public sealed class LeNet5 : Backbone
{
    private readonly nn.Module<Tensor, Tensor> _layers;

    /// <summary>Creates it.</summary>
    /// <param name="channels">1 for grey, 3 for colour.</param>
    /// <param name="size">Height and width: 28 (padded by 2, as MNIST is) or 32.</param>
    /// <exception cref="ArgumentException">Another size.</exception>
    public LeNet5(int channels = 1, int size = 28) : base("lenet5", 84)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(channels, 1);
        if (size is not (28 or 32)) throw new ArgumentException($"size: {size}, expected 28 or 32", nameof(size));
        Architecture = $"lenet5 {channels}x{size}";
        _layers = nn.Sequential(
            ("conv1", nn.Conv2d(channels, 6, 5, padding: size == 28 ? 2 : 0)), ("relu1", nn.ReLU(inplace: true)),
            ("pool1", nn.MaxPool2d(2)), ("conv2", nn.Conv2d(6, 16, 5)), ("relu2", nn.ReLU(inplace: true)),
            ("pool2", nn.MaxPool2d(2)), ("flatten", nn.Flatten()),
            ("fc1", nn.Linear(400, 120)), ("relu3", nn.ReLU(inplace: true)),
            ("fc2", nn.Linear(120, 84)), ("relu4", nn.ReLU(inplace: true)));
        register_module("layers", _layers);
    }

    /// <inheritdoc/>
    public override string Architecture { get; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => _layers.forward(input);
}
