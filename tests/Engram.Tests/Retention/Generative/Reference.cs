using Engram.Retention;
using static TorchSharp.torch;

namespace Engram.Tests.Retention.Generative;

/// <summary>Generators written out again in float64 with plain loops, from a module's weights by name.</summary>
internal sealed class Reference
{
    private readonly Dictionary<string, (double[] Values, long[] Shape)> _weights;

    public Reference(nn.Module module) => _weights = module.named_parameters().ToDictionary(
        pair => pair.name,
        pair => (pair.parameter.detach().contiguous().data<float>().Select(value => (double)value).ToArray(), pair.parameter.shape));

    public double[] Row(string name, int row)
    {
        var (values, shape) = _weights[name];
        return values[(int)(row * shape[1])..(int)((row + 1) * shape[1])];
    }

    public double[] Linear(string layer, double[] input)
    {
        var (weights, shape) = _weights[$"{layer}.weight"];
        var bias = _weights.TryGetValue($"{layer}.bias", out var given) ? given.Values : new double[shape[0]];
        return [.. Enumerable.Range(0, (int)shape[0]).Select(o =>
            bias[o] + Enumerable.Range(0, input.Length).Sum(i => weights[(o * input.Length) + i] * input[i]))];
    }

    public double[] Up(double[] input, int layers)
    {
        for (var i = 1; i <= layers; i++) input = Relu(Linear($"encoder{i}", input));
        return input;
    }

    public double[] Down(double[] latent, int hidden, Func<int, double[]>? gates = null)
    {
        for (var i = 1; i <= hidden; i++)
        {
            latent = Relu(Linear($"decoder{i}", latent));
            if (gates is not null) latent = [.. latent.Zip(gates(i - 1), (value, gate) => value * gate)];
        }
        return Linear($"decoder{hidden + 1}", latent);
    }

    public static double[] Sampled(double[] mean, double[] logVariance, double[] noise) =>
        [.. mean.Select((m, k) => m + (Math.Exp(logVariance[k] / 2) * noise[k]))];

    // −log p(x|z) summed over numbers, as its definition says.
    public static double Nll(double[] decoded, double[] x, Reconstruction kind) => kind == Reconstruction.Bernoulli
        ? decoded.Zip(x, (l, v) => (-v * Math.Log(Sigmoid(l))) - ((1 - v) * Math.Log(1 - Sigmoid(l)))).Sum()
        : decoded.Zip(x, (m, v) => (v - m) * (v - m) / 2).Sum();

    public static double LogNormal(double[] x, double[] mean, double[] logVariance) => x.Select((v, k) =>
        -0.5 * (Math.Log(2 * Math.PI) + logVariance[k] + (Math.Pow(v - mean[k], 2) / Math.Exp(logVariance[k])))).Sum();

    public static double Sigmoid(double value) => 1 / (1 + Math.Exp(-value));

    public static double[][] Rows(Tensor tensor) =>
        [.. Enumerable.Range(0, (int)tensor.shape[0]).Select(row => tensor[row].data<float>().Select(value => (double)value).ToArray())];

    private static double[] Relu(double[] values) => [.. values.Select(value => Math.Max(value, 0))];
}
