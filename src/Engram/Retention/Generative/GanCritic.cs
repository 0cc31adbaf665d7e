using TorchSharp.Modules;

namespace Engram.Retention;

/// <summary>
/// The critic of a <see cref="GanGenerator"/>: how real an image is as one of its class, ψ(φ(x)) + ⟨e_y, φ(x)⟩ (Miyato and Koyama
/// 2018, "cGANs with Projection Discriminator", equation 3), every weight under <see cref="SpectralNorm"/>.
/// </summary>
internal sealed class GanCritic : nn.Module
{
    private const double Slope = 0.1; // of the leaky ReLU, as in Miyato et al. 2018

    private readonly Conv2d _first;
    private readonly Conv2d _second;
    private readonly Linear _real;
    private readonly Parameter _ofClass = new(zeros(0));

    public GanCritic(IReadOnlyList<long> image, int classes, GanOptions options) : base("critic")
    {
        var features = options.Widths[1] * (image[1] / 4) * (image[2] / 4);
        register_module("first", _first = nn.Conv2d(image[0], options.Widths[0], 4, stride: 2, padding: 1));
        register_module("second", _second = nn.Conv2d(options.Widths[0], options.Widths[1], 4, stride: 2, padding: 1));
        register_module("real", _real = nn.Linear(features, 1));
        using (no_grad()) _ofClass.set_(Rows(classes, features));
        register_parameter("of_class", _ofClass);
        Norms = new Dictionary<string, SpectralNorm>
        {
            ["first"] = new(options.Widths[0]),
            ["second"] = new(options.Widths[1]),
            ["real"] = new(1),
            ["of_class"] = new(classes),
        };
    }

    /// <summary>The norm of each weight by name.</summary>
    public IReadOnlyDictionary<string, SpectralNorm> Norms { get; }

    public long NormBytes => 4 * Norms.Values.Sum(norm => norm.Left.numel());

    /// <summary>Adds a random row for each new class.</summary>
    public void Grow(int added)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        _ofClass.set_(cat([_ofClass.detach(), Rows(added, _ofClass.size(1))]));
        Norms["of_class"].Grow(added);
    }

    /// <summary>The critic as it is now. One step of every power iteration is taken first if asked for.</summary>
    /// <param name="learns">Whether gradients reach the critic's own weights.</param>
    /// <returns>Judges images <c>[n, channels, height, width]</c> of class ids <c>[n]</c>: <c>[n]</c>, real above 0.</returns>
    public Func<Tensor, Tensor, Tensor> Judge(bool learns)
    {
        Tensor Weight(string name, Tensor weight) => learns ? Norms[name].Of(weight, refine: true) : Norms[name].Of(weight.detach(), refine: false);
        Tensor Bias(Parameter? bias) => learns ? bias! : bias!.detach();
        var (first, second) = (Weight("first", _first.weight), Weight("second", _second.weight));
        var (real, ofClass) = (Weight("real", _real.weight), Weight("of_class", _ofClass));
        var (bias1, bias2, bias3) = (Bias(_first.bias), Bias(_second.bias), Bias(_real.bias));
        return (images, classes) =>
        {
            var hidden = nn.functional.conv2d(images, first, bias1, strides: [2], padding: [1]).leaky_relu(Held(Slope));
            hidden = nn.functional.conv2d(hidden, second, bias2, strides: [2], padding: [1]).leaky_relu(Held(Slope)).flatten(1);
            var alike = hidden.mul(ofClass.index_select(0, classes)).sum([1]);
            return hidden.mv(real[0]).add(bias3, alpha: Held(1)).add(alike, alpha: Held(1));
        };
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            foreach (var norm in Norms.Values) norm.Dispose();
        base.Dispose(disposing);
    }

    private static Tensor Rows(int classes, long features) => randn(classes, features).div_(Held(Math.Sqrt(features)));
}
