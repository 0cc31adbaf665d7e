using TorchSharp.Modules;

namespace Engram.Models;

/// <summary>Residual networks for small images (He, Zhang, Ren and Sun 2016, "Deep Residual Learning").</summary>
/// <remarks>Names of parameters are those of the public PyTorch implementations, so that their weights load by name.</remarks>
public sealed class ResNet : Backbone
{
    private readonly Conv2d _conv1;
    private readonly BatchNorm2d _bn1;
    private readonly Sequential[] _stages;

    private ResNet(string architecture, int[] widths, int[] blocks, int channels, bool project)
        : base("resnet", widths[^1])
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(channels, 1);
        Architecture = channels == 3 ? architecture : $"{architecture} {channels}-channel";
        _conv1 = nn.Conv2d(channels, widths[0], 3, padding: 1, bias: false);
        _bn1 = nn.BatchNorm2d(widths[0]);
        register_module("conv1", _conv1);
        register_module("bn1", _bn1);
        _stages = new Sequential[widths.Length];
        for (var s = 0; s < widths.Length; s++)
        {
            _stages[s] = nn.Sequential([.. Enumerable.Range(0, blocks[s]).Select(b => ($"{b}", (nn.Module<Tensor, Tensor>)
                new BasicBlock(b == 0 && s > 0 ? widths[s - 1] : widths[s], widths[s], b == 0 && s > 0 ? 2 : 1, project)))]);
            register_module($"layer{s + 1}", _stages[s]);
        }
        foreach (var parameter in parameters())
            if (parameter.dim() == 4) nn.init.kaiming_normal_(parameter, nonlinearity: nn.init.NonlinearityType.ReLU);
    }

    /// <summary>The CIFAR form, section 4.2: 6n + 2 layers of 16, 32 and 64 maps, shortcuts without parameters (option A).</summary>
    /// <param name="depth">20, 32, 44, 56 or 110.</param>
    /// <param name="channels">3 for colour.</param>
    /// <exception cref="ArgumentException">The depth is not 6n + 2.</exception>
    public static ResNet Cifar(int depth = 32, int channels = 3)
    {
        var n = (depth - 2) / 6;
        return n > 0 && depth == (6 * n) + 2
            ? new ResNet($"resnet{depth}", [16, 32, 64], [n, n, n], channels, project: false)
            : throw new ArgumentException($"depth: {depth}, expected 6n + 2, for example 20 or 32", nameof(depth));
    }

    /// <summary>ResNet-18 with a first convolution of 3×3 for small images; shortcuts are 1×1 convolutions (option B).</summary>
    /// <param name="width">Maps of the first stage: 64, or 20 for the slim form of GEM (Lopez-Paz and Ranzato 2017, section 5).</param>
    /// <param name="channels">3 for colour.</param>
    public static ResNet ResNet18(int width = 64, int channels = 3)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        return new ResNet($"resnet18-{width}", [width, 2 * width, 4 * width, 8 * width], [2, 2, 2, 2], channels, project: true);
    }

    /// <inheritdoc/>
    public override string Architecture { get; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        var maps = _bn1.forward(_conv1.call(input)).relu_();
        foreach (var stage in _stages) maps = stage.call(maps);
        return maps.mean([2, 3]); // [batch, maps]
    }

    private sealed class BasicBlock : nn.Module<Tensor, Tensor>
    {
        private readonly Conv2d _conv1, _conv2;
        private readonly BatchNorm2d _bn1, _bn2;
        private readonly Sequential? _shortcut;
        private readonly int _stride, _extra;

        public BasicBlock(int inputs, int outputs, int stride, bool project) : base("block")
        {
            (_stride, _extra) = (stride, outputs - inputs);
            _conv1 = nn.Conv2d(inputs, outputs, 3, stride: stride, padding: 1, bias: false);
            _bn1 = nn.BatchNorm2d(outputs);
            _conv2 = nn.Conv2d(outputs, outputs, 3, padding: 1, bias: false);
            _bn2 = nn.BatchNorm2d(outputs);
            register_module("conv1", _conv1);
            register_module("bn1", _bn1);
            register_module("conv2", _conv2);
            register_module("bn2", _bn2);
            if (!project || (stride == 1 && _extra == 0)) return;
            _shortcut = nn.Sequential(
                ("0", nn.Conv2d(inputs, outputs, 1, stride: stride, bias: false)), ("1", nn.BatchNorm2d(outputs)));
            register_module("shortcut", _shortcut);
        }

        public override Tensor forward(Tensor input)
        {
            var inner = _bn1.forward(_conv1.call(input)).relu_();
            return _bn2.forward(_conv2.call(inner)).add_(Shortcut(input), alpha: Held(1)).relu_();
        }

        private Tensor Shortcut(Tensor input)
        {
            if (_shortcut is not null) return _shortcut.call(input);
            if (_stride == 1 && _extra == 0) return input;
            // Option A: every second pixel, and maps of zeros on both sides.
            var half = input.slice(2, 0, input.size(2), _stride).slice(3, 0, input.size(3), _stride);
            return nn.functional.pad(half, [0, 0, 0, 0, _extra / 2, _extra - (_extra / 2)]);
        }
    }
}
