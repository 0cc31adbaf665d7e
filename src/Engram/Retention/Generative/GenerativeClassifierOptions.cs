namespace Engram.Retention;

/// <summary>How <see cref="GenerativeClassifier"/> learns and decides.</summary>
public sealed record GenerativeClassifierOptions
{
    /// <summary>Each class's autoencoder.</summary>
    /// <value>Default widths 85, 85 and z of 5, as in the study on Split MNIST.</value>
    public VaeOptions Vae { get; init; } = new() { Widths = [85, 85], LatentSize = 5 };

    /// <summary>S: importance samples of z that estimate a likelihood.</summary>
    /// <value>Default 50, as the authors' code; the paper has 10,000. 1 or more.</value>
    public int ImportanceSamples { get; init; } = 50;

    /// <summary>p(x|z) in the likelihood.</summary>
    /// <value>
    /// Default <see cref="Reconstruction.Gaussian"/> around the decoder's mean whatever it is trained with, as the authors'
    /// code.
    /// </value>
    public Reconstruction Likelihood { get; init; } = Reconstruction.Gaussian;

    internal GenerativeClassifierOptions Validated()
    {
        ArgumentNullException.ThrowIfNull(Vae);
        Vae.Validated();
        if (ImportanceSamples < 1) throw new ArgumentException($"ImportanceSamples: {ImportanceSamples}, expected 1 or more");
        if (!Enum.IsDefined(Likelihood)) throw new ArgumentException($"Likelihood: {Likelihood}, expected Bernoulli or Gaussian");
        return Likelihood == Reconstruction.Bernoulli && Vae.Reconstruction == Reconstruction.Gaussian
            ? throw new ArgumentException("Likelihood: Bernoulli, expected Gaussian for a decoder that gives means")
            : this;
    }
}
