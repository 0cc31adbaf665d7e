using Engram.Data;
using Engram.Learning;
using Engram.Retention;
using static TorchSharp.torch;

namespace Engram.Tests.Retention.Generative;

public class GeneratorFormulaTests
{
    private const int Inputs = 6, Latent = 3, Samples = 4, Classes = 3;

    [Theory]
    [InlineData(Reconstruction.Bernoulli)]
    [InlineData(Reconstruction.Gaussian)]
    public void The_loss_of_a_vae_is_minus_the_bound_per_number(Reconstruction kind)
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        using var vae = new Vae(Inputs, new VaeOptions { Widths = [5, 4], LatentSize = Latent, Reconstruction = kind });
        var (x, noise) = (rand(Samples, Inputs), randn(Samples, Latent));
        var reference = new Reference(vae);

        var expected = Reference.Rows(x).Zip(Reference.Rows(noise), (row, eps) =>
        {
            var hidden = reference.Up(row, 2);
            var (mean, logVariance) = (reference.Linear("mean", hidden), reference.Linear("logvar", hidden));
            var kl = mean.Select((m, k) => 0.5 * ((m * m) + Math.Exp(logVariance[k]) - 1 - logVariance[k])).Sum();
            return (Reference.Nll(reference.Down(Reference.Sampled(mean, logVariance, eps), 2), row, kind) + kl) / Inputs;
        }).ToArray();

        TinyProblem.AssertClose(expected, TinyProblem.Values(vae.LossPerSample(x, noise).detach()), 1e-5);
    }

    [Theory]
    [InlineData(Reconstruction.Bernoulli)]
    [InlineData(Reconstruction.Gaussian)]
    public void A_likelihood_is_the_mean_of_importance_weights(Reconstruction likelihood)
    {
        using var scope = NewDisposeScope();
        manual_seed(2);
        using var vae = new Vae(Inputs, new VaeOptions { Widths = [5, 4], LatentSize = Latent });
        var (x, noise) = (rand(Samples, Inputs), randn(7, Latent));
        var reference = new Reference(vae);

        var expected = Reference.Rows(x).Select(row =>
        {
            var hidden = reference.Up(row, 2);
            var (mean, logVariance) = (reference.Linear("mean", hidden), reference.Linear("logvar", hidden));
            return Math.Log(Reference.Rows(noise).Average(eps =>
            {
                var z = Reference.Sampled(mean, logVariance, eps);
                var decoded = reference.Down(z, 2);
                if (likelihood == Reconstruction.Gaussian) decoded = [.. decoded.Select(Reference.Sigmoid)];
                return Math.Exp(Reference.LogNormal(z, new double[Latent], new double[Latent])
                    - Reference.LogNormal(z, mean, logVariance) - Reference.Nll(decoded, row, likelihood));
            }));
        }).ToArray();

        TinyProblem.AssertClose(expected, TinyProblem.Values(vae.LogLikelihood(x, noise, likelihood, rowsAtOnce: 14)), 1e-5);
    }

    [Fact]
    public void Densities_under_narrow_and_wide_classes_are_those_of_the_definition_and_so_are_their_slopes()
    {
        const int Classes = 10, Latent = 100;
        using var scope = NewDisposeScope();
        manual_seed(8);
        var means = randn(Classes, Latent).mul(3);
        var x = means.index_select(0, tensor(new long[] { 0, 3, 9 })).add(randn(3, Latent).mul(0.05)).detach().requires_grad_();
        var logVariances = linspace(-8, 2, Classes).unsqueeze(1).expand(Classes, Latent).contiguous().requires_grad_();

        var ours = GenerativeLoss.LogNormals(x, means, logVariances);
        ours.logsumexp(1).sum().backward();

        var (wide, v) = (x.detach().to(ScalarType.Float64).requires_grad_(), logVariances.detach().to(ScalarType.Float64).requires_grad_());
        var direct = GenerativeLoss.LogNormal(wide.unsqueeze(1), means.to(ScalarType.Float64).unsqueeze(0), v.unsqueeze(0));
        direct.logsumexp(1).sum().backward();
        Assert.True(ours.to(ScalarType.Float64).allclose(direct, 1e-6, 1e-4));
        Assert.True(x.grad!.to(ScalarType.Float64).allclose(wide.grad!, 1e-5, 1e-4));
        Assert.True(logVariances.grad!.to(ScalarType.Float64).allclose(v.grad!, 1e-5, 1e-4));
    }

    [Fact]
    public void The_loss_of_feedback_has_a_prior_per_class_and_gates_by_class()
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        var options = new BrainInspiredOptions { Widths = [5, 4], LatentSize = Latent, GateShare = 0.4 };
        using var module = new FeedbackDecoder(5, Inputs, Classes - 1, options, seed: 9);
        module.Grow(1);
        var (features, x, noise) = (randn(Samples, 5), rand(Samples, Inputs), randn(Samples, Latent));
        // Two samples whose class is known, two with the previous solver's probabilities.
        var p = tensor(new float[,] { { 1, 0, 0 }, { 0, 0, 1 }, { 0.2f, 0.3f, 0.5f }, { 0.9f, 0.1f, 0 } });
        var reference = new Reference(module);
        var open = Enumerable.Range(0, Classes).Select(c =>
        {
            var random = new SeededRandom(9, $"brain-inspired/gates/{c}");
            return Enumerable.Range(0, 9).Select(_ => random.NextDouble() < 0.4 ? 0.0 : 1.0).ToArray();
        }).ToArray();
        Assert.Contains(0.0, open.SelectMany(gates => gates));

        var (rows, eps, classes) = (Reference.Rows(x), Reference.Rows(noise), Reference.Rows(p));
        var expected = Reference.Rows(features).Select((row, n) =>
        {
            var (mean, logVariance) = (reference.Linear("mean", row), reference.Linear("logvar", row));
            var z = Reference.Sampled(mean, logVariance, eps[n]);
            var prior = Enumerable.Range(0, Classes).Sum(c => classes[n][c] * Math.Exp(
                Reference.LogNormal(z, reference.Row("prior_mean", c), reference.Row("prior_logvar", c))));
            double[] Gates(int layer) => [.. Enumerable.Range(layer * 5, layer == 0 ? 5 : 4)
                .Select(unit => Enumerable.Range(0, Classes).Sum(c => classes[n][c] * open[c][unit]))];
            var kl = Reference.LogNormal(z, mean, logVariance) - Math.Log(prior);
            return (Reference.Nll(reference.Down(z, 2, Gates), rows[n], Reconstruction.Bernoulli) + kl) / Inputs;
        }).ToArray();

        TinyProblem.AssertClose(expected, TinyProblem.Values(module.LossPerSample(features, x, p, noise).detach()), 1e-5);
    }

    [Fact]
    public void New_and_replayed_rows_count_by_their_shares()
    {
        using var scope = NewDisposeScope();
        TinyProblem.AssertClose([0.125, 0.125, 0.25, 0.25, 0.25], TinyProblem.Values(GenerativeLoss.RowWeights(2, 3, 0.25)), 1e-6);
        TinyProblem.AssertClose([0.5, 0.5], TinyProblem.Values(GenerativeLoss.RowWeights(2, 0, 1)), 1e-6);
    }

    [Fact]
    public void A_generator_learns_to_make_digits_like_those_it_saw()
    {
        using var scope = NewDisposeScope();
        manual_seed(4);
        using var network = new SideNetwork<Vae>(
            new Vae(784, new VaeOptions { Widths = [64], LatentSize = 8 }), new AdamOptions { LearningRate = 3e-3 });
        var (ones, zeros) = (Images("1"), Images("0"));
        for (var step = 0; step < 200; step++) network.Descend(() => network.Module.LossPerSample(ones).mean());
        var made = network.Module.Generate(50).mean([0]);
        var (near, far) = (Distance(made, ones), Distance(made, zeros));
        Assert.True(near < far / 4, $"mean image is {near} from the mean of ones and {far} from that of zeros");
    }

    private static Tensor Images(string digit) => UnitInputs.Of(
        SubsetSource.Balanced(SubsetSource.WithLabels(TestData.Mnist.Train, [digit]), 64).Gather([.. Enumerable.Range(0, 64).Select(i => (long)i)]).Inputs);

    private static float Distance(Tensor mean, Tensor images) => mean.sub(images.mean([0])).square().mean().item<float>();
}
