using Engram.Data;
using Engram.Learning;
using Engram.Retention;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Tests.Retention;

public class BiasTests
{
    [Fact]
    public void The_correction_recovers_a_known_bias()
    {
        const int n = 20_000, classes = 4, first = 2;
        const double alpha = 0.7, beta = -1.2;
        var random = new SeededRandom(5, "bias");
        var (biased, labels) = (new float[n * classes], new long[n]);
        for (var i = 0; i < n; i++)
        {
            // Labels follow the softmax of true logits; the new classes' logits are then spoilt.
            var logits = Enumerable.Range(0, classes).Select(_ => (4 * random.NextDouble()) - 2).ToArray();
            var odds = logits.Select(Math.Exp).ToArray();
            var draw = random.NextDouble() * odds.Sum();
            var label = 0;
            while (draw > odds[label]) draw -= odds[label++];
            labels[i] = label;
            for (var k = 0; k < classes; k++)
                biased[(i * classes) + k] = (float)(k < first ? logits[k] : (logits[k] - beta) / alpha);
        }
        using var scope = NewDisposeScope();
        var (a, b) = BiasLayer.Fit(tensor(biased).view(n, classes), tensor(labels), first, betaDecay: 0);
        Assert.Equal(alpha, a, 0.03);
        Assert.Equal(beta, b, 0.06);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.1)]
    public void The_correction_is_the_minimum_of_equation_5_in_float64(double betaDecay)
    {
        const int n = 60, classes = 4, first = 2;
        var random = new SeededRandom(7, "bias");
        var logits = Enumerable.Range(0, n).Select(_ => Enumerable.Range(0, classes).Select(_ => (double)(float)(4 * random.NextDouble())).ToArray()).ToArray();
        var labels = Enumerable.Range(0, n).Select(_ => random.Next(classes)).ToArray();
        using var scope = NewDisposeScope();
        var (alpha, beta) = BiasLayer.Fit(
            tensor(logits.SelectMany(row => row).Select(z => (float)z).ToArray()).view(n, classes),
            tensor(Array.ConvertAll(labels, label => (long)label)), first, betaDecay);

        // −Σ δ log softmax(q), q_k = α o_k + β for new classes and o_k for old ones (equation 4); decay of β, slight pull of α to 1.
        double Objective(double a, double b) => logits.Zip(labels).Average(pair =>
        {
            var q = pair.First.Select((o, k) => k < first ? o : (a * o) + b).ToArray();
            return Math.Log(q.Sum(Math.Exp)) - q[pair.Second];
        }) + (betaDecay / 2 * b * b) + (1e-3 / 2 * (a - 1) * (a - 1));
        const double h = 1e-4;
        Assert.Equal(0, (Objective(alpha + h, beta) - Objective(alpha - h, beta)) / (2 * h), 1e-7);
        Assert.Equal(0, (Objective(alpha, beta + h) - Objective(alpha, beta - h)) / (2 * h), 1e-7);
        Assert.True(Objective(alpha, beta) < Objective(1, 0) - 1e-3);
    }

    [Fact]
    public void The_gradient_of_bics_first_stage_is_that_of_equations_1_to_3_over_corrected_logits()
    {
        const double t = 2, share = 4 / 5.0; // λ = n / (n + m): four old classes, a new one
        var bic = new BiasCorrection(new BicOptions { Capacity = 80, Temperature = t });
        var corrected = false;
        var check = new StepByHand(2, s =>
        {
            var (alpha, beta) = (TinyProblem.Values(bic.Layer.Scale!), TinyProblem.Values(bic.Layer.Offset!));
            corrected = alpha[2] != 1 && beta[2] != 0 && alpha[0] == 1 && alpha[4] == 1;
            double[] Correct(double[] z, int classes) => [.. z.Take(classes).Select((o, k) => (alpha[k] * o) + beta[k])];
            return [.. s.Logits.Select((z, n) =>
            {
                var p = Float64Mlp.Softmax(Correct(z, 5));
                var (soft, teacher) = (Float64Mlp.Softmax(Correct(z, 4), t), Float64Mlp.Softmax(Correct(s.Teacher[n], 4), t));
                return z.Select((_, k) => alpha[k] / s.Count * (((1 - share) * (p[k] - (k == s.Labels[n] ? 1 : 0)))
                    + (k < 4 ? share * (soft[k] - teacher[k]) / t : 0))).ToArray();
            })];
        });
        using var learner = SplitMnist.Learner([bic, check], batch: 32, width: 32);
        for (var index = 0; index < 2; index++) learner.Study(SplitMnist.Experience(index, 64));
        var four = SubsetSource.Balanced(SubsetSource.WithLabels(TestData.Mnist.Train, [4]), 64);
        learner.Study(new Experience(2, four));
        Assert.True(check.Checked && corrected);
    }

    [Fact]
    public void The_correction_stays_finite_where_validation_samples_are_separable()
    {
        using var scope = NewDisposeScope();
        var logits = tensor(new float[] { 5, 0, 5, 0, 0, 5, 0, 5 }).view(4, 2);
        var (a, b) = BiasLayer.Fit(logits, tensor(new long[] { 0, 0, 1, 1 }), 1, 0.1);
        Assert.True(double.IsFinite(a) && double.IsFinite(b));
        Assert.InRange(a, 0, 20);
    }

    [Fact]
    public void A_layer_scales_and_shifts_the_classes_of_its_experience_only()
    {
        using var scope = NewDisposeScope();
        using var layer = new BiasLayer();
        layer.Grow(2);
        layer.Grow(3);
        layer.Set(2, 0.5, -1);
        Assert.Equal(new float[] { 1, 2, 0.5f }, layer.Apply(tensor(new float[] { 1, 2, 3 }).view(1, 3)).data<float>().ToArray());
    }

    [Fact]
    public void Bic_never_trains_on_what_it_validates_with()
    {
        using var scope = NewDisposeScope();
        var bic = new BiasCorrection(new Engram.Retention.BicOptions { Capacity = 100 });
        using var learner = SplitMnist.Learner([bic], width: 16);
        learner.Learn(SplitMnist.Experience(0, 100));
        learner.Learn(SplitMnist.Experience(1, 100));
        var state = new MechanismState();
        bic.Save(state);
        // 25 of each class: 3 to validate (a tenth, rounded up) and 22 to train.
        Assert.Equal(88, state.Tensors["exemplars.raw"].shape[0]);
        Assert.Equal(12, state.Tensors["validation.raw"].shape[0]);
        var source = learner.Context.Source;
        Assert.Equal(2 * (100 - 3) + (2 * 45), source.Count); // held out now; 50 − 5 exemplars of each old class
        var trained = source.Gather([.. Enumerable.Range(0, source.Count).Select(i => (long)i)]).Inputs.flatten(1);
        var held = state.Tensors["validation.raw"].flatten(1);
        for (var i = 0; i < held.shape[0]; i++)
            Assert.False(trained.eq(held[i]).all(1).any().item<bool>());
        Assert.NotEqual(1f, bic.Layer.Scale![3].item<float>());
        Assert.Equal(1f, bic.Layer.Scale![1].item<float>());
    }

    [Fact]
    public void Weight_aligning_makes_new_weights_as_long_as_old_ones_on_average()
    {
        using var scope = NewDisposeScope();
        var weights = tensor(new float[] { 3, 4, 0, 1, 6, 8, 0, 2 }).view(4, 2); // lengths 5 and 1; 10 and 2
        Assert.Equal(3.0 / 6, WeightAligning.Factor(weights, 2), 1e-9);

        var wa = new WeightAligning();
        using var learner = SplitMnist.Learner([wa], width: 32);
        learner.Learn(SplitMnist.Experience(0, 200));
        Assert.Equal(1, wa.Gamma);
        learner.Learn(SplitMnist.Experience(1, 200));
        Assert.NotEqual(1, wa.Gamma);
        var aligned = learner.Context.Arena["head.weight"].Of(learner.Context.Arena.Values);
        Assert.Equal(1, WeightAligning.Factor(aligned, 2), 1e-5);
    }

    [Fact]
    public void Weight_aligning_can_keep_weights_from_being_negative()
    {
        using var scope = NewDisposeScope();
        using var learner = SplitMnist.Learner([new WeightAligning(new WeightAligningOptions { NonNegative = true })], width: 32);
        learner.Learn(SplitMnist.Experience(0, 100));
        Assert.True(learner.Context.Arena["head.weight"].Of(learner.Context.Arena.Values).min().item<float>() >= 0);
    }

    [Theory]
    [InlineData(Il2mScores.Logits)]
    [InlineData(Il2mScores.Probabilities)]
    public void Il2m_rectifies_old_scores_where_a_new_class_would_win(Il2mScores kind)
    {
        using var scope = NewDisposeScope();
        var il2m = new Il2m(new Il2mOptions { Capacity = 40, Scores = kind });
        using var learner = SplitMnist.Learner([il2m], width: 32);

        var first = SplitMnist.Experience(0, 100);
        learner.Learn(first);
        var initial = Means(learner, kind, out var confidence);
        learner.Learn(SplitMnist.Experience(1, 100));
        var current = Means(learner, kind, out var confidenceNow);
        var factors = il2m.Factors.data<float>().ToArray();
        for (var k = 0; k < 2; k++)
            Assert.Equal(initial[k] / current[k] * confidenceNow / confidence, factors[k], 1e-3);
        Assert.Equal([1f, 1f], factors[2..]);

        // An old class wins in the first row, a new one in the second.
        var logits = tensor(new float[] { 5, 1, 2, 3, 4, 1, 2, 6 }).view(2, 4);
        var rectified = il2m.Rectify(logits).data<float>().ToArray();
        var z = logits.data<float>().Select(x => (double)x).ToArray();
        for (var i = 0; i < 2; i++)
            for (var k = 0; k < 4; k++)
            {
                var factor = i == 1 ? factors[k] : 1.0;
                var p = Math.Exp(z[(4 * i) + k]) / z[(4 * i)..(4 * (i + 1))].Sum(Math.Exp);
                var expected = kind == Il2mScores.Logits ? z[(4 * i) + k] * factor : Math.Log(p * factor);
                Assert.Equal(expected, rectified[(4 * i) + k], 1e-3);
            }
    }

    // Mean score of each class over what was trained on, and the mean best score over the new samples.
    private static double[] Means(Learner learner, Il2mScores kind, out double confidence)
    {
        var context = learner.Context;
        var part = context.Fetch([.. Enumerable.Range(0, context.Source.Count).Select(i => (long)i)]);
        double[][] scores;
        using (no_grad())
        {
            var logits = context.Model.forward(part.Inputs);
            scores = [.. (kind == Il2mScores.Logits ? logits : logits.softmax(1)).data<float>().Select(x => (double)x)
                .ToArray().Chunk(context.Classes.Count)];
        }
        var y = part.Targets.data<long>().ToArray();
        confidence = Enumerable.Range(0, y.Length).Where(i => y[i] >= context.KnownBefore).Average(i => scores[i].Max());
        return [.. Enumerable.Range(0, context.Classes.Count).Select(k =>
            Enumerable.Range(0, y.Length).Where(i => y[i] == k).Average(i => scores[i][k]))];
    }

    [Theory]
    [InlineData("bic")]
    [InlineData("wa")]
    [InlineData("il2m")]
    public void Corrected_learners_keep_split_mnist(string name) => // a quarter of the data; naive keeps 0.2
        Assert.InRange(SplitMnist.Accuracy(
            Scenario.ClassIncremental, 0, () => Strategies.Named(name).Create(new StrategyBudget()), 1500), 0.8, 1);
}
