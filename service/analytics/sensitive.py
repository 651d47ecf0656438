"""Topics that a label must not name: religion, politics, health, sexuality, and what stands beside them in law.

A label speaks of a whole community, and whoever is in it did not ask for that: it must not state what article 9 of the
GDPR protects. Topics are free text, so a lexicon decides. It errs on the side of silence: what might be meant is
enough, and what it cannot read is not named either. No lexicon is complete: jargon and new slang may get through.

The lexicon covers English and French, and the basics of Spanish, German, Italian and Portuguese. Words are folded
(lower case, no accents), and a star says where more letters may stand:

    jew       the word itself, and with an s
    lesb*     a word that begins so
    *church   a word that ends so
    *islam*   anywhere in the topic, with all its words run together as hashtags are

So only stems that are long and mean one thing have stars on both sides. Several words are written as one.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST = 40
"""Topics of more characters are not used in labels: they are sentences rather than topics."""

RELIGION = """
    samarit* holika* catechis* catequ* sacrist* santopadre guadalupe diadelosmuertos allsouls* allsaints*
    aschermittwoch* ashwednesday* cenizas popefr* popeleo* nativit* bornagain* hailmary* monothe* polythe* heathen*
    gurunanak* janmasht* tarawih* taraweeh* dua zakat* taqwa sabr tawhid* laylat* lailat* sundayservice* sundaymass*
    firstcommunion* theism* deism* creationis* kreationis* intelligentdesign* moskee* kerk kerken afterlife*
    dominican* jesuit* franciscan* benedictin* puritan* calvary*

    relig* *religi* spiritu* *spiritual* espiritu* *theolog* teolog* faith* *faith glaube* glaubig* believer*
    belief* croyan* foi fede fiel creyent* crent* *worship* pray* *prayer* *prayfor* prier* gebet* beten oracion*
    oracao preghier* praisethe* thelordis* bless blessed* blessing* benediction* amen hallelu* allelu* hosanna
    sacred sacre sacree holy* heilig* saintesprit sacrament* sakrament* prophet* profeta* miracle* blasphem*
    pilgrim* pelerinag* peregrinac* pellegrinag* pilger* compostel* missionar* clerg* sermon* pastor* ministry
    deacon* diacre* diakon* atheis* athee* ateis* ateo agnost* secular* laicit* laicis* laizis* sect secte* sekte*
    scientolog* god* *god *godis* *mygod* *thankgod* dieu dieux dios dio deus gott gotte* *gottesdienst* deity
    meditat* mindful* occult* pagan* paien* heiden* wicca* druid* witchcraft* voodoo vodou vaudou santeria candombl*
    umbanda rasta rastas rastafa* orisha* shaman* chaman* satan* exorcis*

    *jesus* gesu jesucrist* christ* *christian* *christus* *antichrist* cristo *cristian* *chretien* catho *cathol*
    cattolic* catolic* *katholi* protestan* luther* calvinis* baptis* bapteme* bautiz* bautismo battesim* batismo
    taufe* communion* kommunion* konfirmation* methodis* presbyter* anglican* anglikan* episcop* orthodox* ortodox*
    mormon* lds jehov* jeova* *jehovah* adventis* pentecost* pentecot* *evangel* vangel* quaker* amish pope papst*
    pape papefrancois papal papaut* pontif* vatican* vatikan* bishop* archbishop* eveque* archeveque* obispo*
    vescov* bischof* bispo priest* pretre* sacerdo* padrepio nun nonne* monk moine* monje* monch monche monast*
    abbey* abbaye* abtei* convent couvent* kloster* cathedral* kathedral* catedral* cattedral* duomo church* *church
    *churches kirche* *kirche *kirchen eglise* *eglise iglesia* igreja* chiesa chiese chapel* kapelle* parish*
    paroiss* parroqui* parrocch* pfarr* sundayschool* bible* biblic* bibel* biblia bibbia biblique* gospel*
    scripture* psalm* psaum* salmo rosary novena crucif* ourlady* virginmary virgenmaria viergemarie medjugor*
    lourdes messe misa missa theotokos *christmas* xmas* noel joyeuxnoel* navidad* natale natal *weihnacht* advent
    advents* avent easter* paques pascua* pasqua* pascoa oster* karfreitag* goodfriday* semanasanta* settimanasanta*
    lent careme cuaresma quaresma fastenzeit epiphan* pfingst* toussaint ascension fronleichnam corpuschristi

    *islam* *muslim* moslem* musulm* *musulman* mussulm* muculman* mulsim* *allah* inshall* inchall* mashall*
    machall* alhamdul* hamdoul* bismillah* subhan* soubhan* *quran* koran* coran* alcoran* hadith* sunnah* sunna
    surah* sourate* tafsir* ummah oumma dawah deen *hijab* hidjab* niqab* burqa* burka* abaya* jilbab* khimar*
    modestfashion modestwear* *halal* haram ramad* *ramadan* ramzan* ramazan* *iftar* ftour suhoor* suhur* sahur eid
    eidm* eidal* eidul* aidelkebir* aidelfitr* aidmoub* aidmub* aideladh* tabaski bayram* mawlid* mouloud ashura
    achoura hajj* hadj* umrah* omra mecca mekka mecque meca kaaba medina *mosque* moschee* mezquita* moschea*
    mesquita* masjid* madrasa* medersa imam* sheikh* cheikh* mufti* ayatollah* sunni* shia shiit* shiism* chiit*
    schiit* salafi* wahhab* sharia* charia scharia *jihad* dschihad* sufi* soufi* ahmadi* alevi aleviten muhammad*
    mohammed* mohamed* mahomet

    jew *jewish* judais* judaic* jude juden* judisch* juedisch* juive* *juif* judio judia judeo judeu judias ebreo
    ebrei ebrea ebrai* hebrew* hebrai* hebreo* hebreu* torah* tora talmud* kabbal* rabbi rabbin* rabino* synagog*
    sinagog* shabbat* shabbos sabbat* chabbat* schabbat* *kosher* casher kasher* koscher* hanuk* hanouk* chanuk*
    *hanukkah* kippur* kippour* *yomkippur* roshhashan* rochhachana* purim* pourim* passover* pesach* pessah*
    sukkot* souccot* shavuot* barmitzv* batmitzv* mitzv* menora* kippah* kippa yiddish* jiddisch* ashkenaz*
    aschkenas* sephard* sefard* sefarad* hasidi* chassid*

    *hindu* indou* *diwali* deepavali* divali* holi navratri* durga* ganesh* *krishna* shiva vishnu* hanuman*
    bhagavad* bhakti* veda vedas vedic* vedant* puja pooja mandir* ashram* dharma* *buddh* *bouddh* budis* buda zen
    zazen dalai* lamaism* taois* daois* tao confuci* shinto* sikh* *sikh gurdwara* khalsa* vaisakhi* jain jainis*
    bahai* zoroast* parsi nowruz* norouz* newroz* kwanzaa* vegan* *vegan vegetalien*

    midnightmass jmj laique* vesak wesak nirvana karma gurbani confirmation apologetic* papaf* kopftuch* rosari*
    santorosar* terreiro* shalom temple temples stupa pagoda bhajan* kirtan* aarti chakra* reiki* namaste sutra*
    mantra* sangha vipassana* bodhi* kaddish seder chabad* lubavitch* haredi* yeshiva* mikveh azan adhan namaz
    sadaqah muharram* arbaeen karbala* turban* eucharist* rosenkranz* beichte firmung* opusdei focolar* taize
    hillsong* unitarian* salvationarmy heilsarmee coptic* copte* kopten maronit* druze* yezidi* yazidi* jesid*
    freemason* francmacon* freimaurer* masoneria* massoneria* humanis* hymn hymns theosoph* anthroposoph* esoter*

    maundy* vicar vicars rector curate seminary seminari* carmelit* trappist* zamzam tasbih nasheed* sadhguru*
    iskcon yahweh adonai messian* rapture endtimes* youngearth* aumoner* assomption rameaux beltane* samhain
    solsticerit*
"""

POLITICS = """
    ichwahl* wahlengeh* marcha 8demarzo 8m 1ermai 1mai 8mars russianwar* *justicefor* justicepour* justicia*
    girlboss* diegrun* diegruen* dielinke* ivote* m5s* pollingstation* pollingplace* canvassing campaigning taxcut*
    austerit* netzero nimby* yimby* syriza fidesz aipac dsa teaparty* vance jdvance* pelosi* mcconnell newsom*
    whitmer walz rishi* badenoch* glucksmann* attal bayrou* barnier wauquiez ciotti hidalgo soder soeder lindner
    feijoo petain* gaullis* peronis* grassroots* lobbyis* impeach* filibuster* gerrymand* partisan* bipartisan* coup
    coups junta dictator* diktat* dittat* dictadur* oligarch* ochlocra* technocra* plutocra* kleptocra*
    cabinetminister* statesman* townhall* citycouncil* councillor* councilm* gemeinderat* conseilmunicip*

    polit* *politic* *politik* *politiq* *politis* geopol* policy policies electi* elector* *election* elettor*
    *electoral* elecci* eleic* elezion* wahlrecht* *wahl *wahlen *wahlkampf* vote* *vote *voter* *voting* votons
    voto votos votar votaz* votac* ballot* scrutin stimmzettel* *referend* plebiscit* primaries caucus* midterm*
    *midterms* candidat* kandidat* campaigntrail *democra* *demokrat* republic* *republican* republik* republiq* gop
    dnc rnc conservative* conservatis* conservateur* conservatric* conservador* conservator* konservativ* *liberal*
    libertari* libertair* neolib* progressiv* progressis* progresist* *socialis* sozialis* socialdem* sozialdem*
    *communis* *kommunis* *comunis* marx* *marxis* lenin* stalin* trotsk* mao maois* anarch* anarqui* *anarchis*
    *fascis* *faschis* facho* antifa* nazi* *nazis *nazism* *neonazi* hitler* *populis* *nationalis* nacionalis*
    patriot* farright* farleft* altright* extremedroite extremegauche rightwing* leftwing* leftist* gauche droite
    gauchis* izquierd* derecha sinistra destra esquerda direita linke linkspartei* linksextrem* rechtsextrem*
    rechtsruck* rechtspop* rechtsradik* labour* labor tory tories libdem* ukip reformuk snp plaidcymru sinnfein*
    greenparty greennewdeal greenpeace cdu csu spd fdp npd bsw grunen gruenen grune gruene bundnis90 psoe podemos
    ciudadanos partidopop* vox lega leganord forzaitalia fratelliditalia movimento5stelle partitodem* rn lrem lfi
    eelv nupes nfp frontnational rassemblementnat* reconquete enmarche insoumis* frontpopulaire* ump bolsonar* lula
    lulalivre chega psol partidodos* bjp trumpi* *trump trumpf* maga makeamerica* biden* *biden obama* *obama
    kamala* *kamalaharris* clinton* bernie* aoc desantis* reagan* thatcher* borisjohnson* starmer* farage* *farage
    corbyn* *corbyn sunak macron* *macron lepen* *lepen melenchon* sarkozy* hollande zemmour* bardella* mitterrand
    chirac* merkel* *merkel scholz merz habeck baerbock weidel hocke hoecke wagenknecht* abascal ayuso zapatero
    rajoy puigdemont* pedrosanchez meloni* *meloni salvini* *salvini berlusconi* renzi draghi schlein putin* *putin
    poutine* zelensk* selensk* navaln* nawaln* xijinping modi erdogan* netanyah* orban milei* *milei maduro chavis*
    kirchner* fidelcastro castris* cheguevara* churchill* mandela gretathunberg qanon *president* presiden*
    praesident* prasident* chancel* *kanzler* canciller* cancellier* minist* *minister *ministre govern*
    *government* gouvern* *gouvernement* gobiern* gobern* *regierung* *parliament* parlement* *parlament*
    *bundestag* bundesrat* landtag* senat* senador* congress* congres congreso deput* diputad* abgeordnet*
    assembleenat* mayor mayors maire mairie burgermeister* buergermeister* alcald* sindaco prefeito municipales
    legislat* diplomat* diplomac* whitehouse elysee downingstreet kremlin* capitol capitolriot* jan6 january6
    monarchis* monarchie monarchy royalist* royalfamily constitution* europeanunion unioneuropeenne nato otan
    unitednations *brexit* remainer* *feminis* patriarch* suffrag* womensright* womensmarch droitsdesfemmes metoo
    *activis* aktivis* attivis* ativis* militan* *militant* protest* *protest *protests demonstrator* manif
    manifestation* manifestaz* manifestac* yellowvest* revolution* revoluc* rivoluz* resist theresistance insurrect*
    *boycott* boicot* boykott* bds *capitalis* kapitalis* *imperialis* colonialis* decolon* dekolon* ecologis* ecolo
    ecolos climat* *climate* klima* *klima fridaysforf* fridays4f* extinctionreb* juststopoil* letztegeneration*
    lastgeneration* guncontrol* gunright* gunviolence* gunreform* nra firstamendment* secondamendment* 2a prolife*
    prochoice* deathpenalty peinedemort freespeech censorship *immigra* inmigra* *migrant* migrat* einwander*
    zuwander* *refugee* refugi* asyl* asile fluchtling* fluechtling* rifugiat* sanspapiers deportat* deportac*
    deportaz* massdeport* borderwall* *palestin* palastin* gaza* *gaza hamas hezbol* hisbollah intifada* idf
    westbank israel* *israel zion sionis* *zionis* *ukrain* crimea krim independentis* independenc* *independencia*
    unabhangigkeit* indyref* separatis* secession* catalanis* freetibet freehongkong *standwith* humanright*
    *humanrights* droitshumains droitsdelhomme derechoshumanos menschenrecht* dirittiumani direitoshumanos
    civilright* socialjustice* *justicewarrior* justicesociale equality egalite gleichstellung* igualdad uguaglianza
    corrup* korrupt* conspira* complot* verschwor* *genocid* volkermord* apartheid* terroris* warcrime* antiwar*
    nowar stopthewar* policebrutal* violencespolic* defund* acab 1312 taxtherich eattherich occupywall* wokis*
    antiwoke* cancelculture* culturewar* basicincome welfare retraites reformedesret* medicare* medicaid*
    sovereignt* souverain* federalis* eurosceptic* euroskep* nuclearweapon* disarm* pacifis* pazifis*

    *ism *isms *isme *ismes *ismo *ismi *ismus exitpoll* swingstate* houseofcommons houseoflords westminster mps
    counciltax* jungeunion* juso jusos linksjugend* remigration* burgergeld* buergergeld* tempolimit*
    heizungsgesetz* motiondecensure* blocus dissolution mitin moncloa 25aprile resistenza anpi primarie stf
    marielle* woke* roevwade* dobbs afd* omasgegen* cop26 cop27 cop28 cop29 cop30 cop31 reform reforms reforme
    reformes reformer minimumwage* smic mindestlohn* mietendeckel* housingcrisis* rentcontrol* universalcredit* amlo
    sheinbaum* boric kast noboa correa evomorales duterte* bongbong* trudeau* poilievre* carney albanese ardern*
    swinney sturgeon fpo fpoe ovp oevp spo spoe pegida* identitar* reichsburg* querdenk* montagsdemo* kundgebung*
    petition* pouvoirdachat extremis* radicali* antisystem* incel* manosphere redpill* tradwi* burkini*
    nationalfront dissident* whistleblow* sanction sanctions tariff tariffs

    giletjaune giletsj* stateoftheunion* ovaloffice supremecourt* scotus redistrict* canvass doorknock* levellingup*
    rwandabill* europeennes* ampel ampelkoal* groko okupa okupas proces ciutadans cinquestelle notav centrao
    procescat* europawahl* welfarestate*
"""

HEALTH = """
    *awareness* *recovery* boulim* tca tsa mswarrior* stillzeit* kinderwunsch* fecond* fecund* eprouvette* boosted
    mask masks maskup* masken* entzug* kiffen kiffer joint joints ttc momtobe* mumtobe* mumstobe babybump*
    babybauch* expecting rainbowbaby* kine psy hpi hautpotentiel* hsp hypersensi* hochsensib* hochbegab* hysterect*
    mastect* ostomy stoma catheter* autoimmun* hypermobil* ehlers* cfs mecfs fatigue* snoring tinnitus acouphen*
    vertigo hearingloss* glaucom* cataract* relapse* sleepdisord* dental* dentist* zahnarzt* orthodont* physio*
    kinesithe* osteopath* chiropract* ambulance* paramedic* emergencyroom* icu intensivecare* biops* radiolog* mri
    colonosc* ultrasound* donorsib* organspend* tics nutritionist* dietit* diet dietes regimeminceur fasting fasten
    heilfasten ayuno jeune jeuneintermit* mounjaro* wegovy* semaglut* statin statins aspirin* paracet* opiate*
    fentanyl* overdose* narcot* stoner* hangover* aameeting* twelvestep* 12step*

    *health* sante salud* saude* gesund* *gesundheit* salute sanita* medic* *medicin* *medical* *medecin* *medizin*
    doctor* docteur* arzt arzte* arztin* aerzt* nurse* nursing* infirmier* enferm* krank* *krankheit* pflege
    pflegeh* pflegek* hospital* *hospital hopital* *hopital ospedal* clinic* cliniq* klinik* *klinik *surgery
    surgeon* surgical* chirurg* cirug* pharma* farmac* apothek* patient* *disease* *illness* sick sickness* maladi*
    *maladie* malade* malatti* malato malata doenc* doente* *syndrom* *sindrom* chronic* chronisch* *disorder*
    symptom* sintom* *diagnos* prognos* oncolog* onkolog* *cancer* *cancro krebs* *krebs tumor* tumour* tumeur*
    chemo chemoth* chimio* quimio* leuk* leucem* linfom* melanom* carcinom* karzinom* metasta* remission *diabet*
    zuckerkrank* insulin* asthm* *asthma* asma epilep* parkinson* alzheim* dementia* demenc* demenz* stroke avc
    ictus schlaganfall* infarct* infarkt* infarto herzinfarkt* heartattack* heartfail* cardiolog* cardiovas*
    cardiaq* kardiolog* hypertens* hypertend* bluthochdruck bloodpressure* cholest* thyroid* hashimoto* kidney*
    dialys* hemophil* haemophil* anemi* anaemi* sepsis copd bpco sclero* *sclerosis* *sclerose* sklerose* fibro
    fibromy* fibros* *fibrosis* lupus crohn* colitis* ibs celiac* coeliac* coeliaq* celiaq* zoliak* glutenfree
    sansgluten glutenfrei singluten *allerg* alerg* eczem* ekzem* psorias* acne akne arthrit* arthros* artrit*
    artros* rheuma* rhumatis* osteopor* scolios* migrain* migran* headache* kopfschmerz* insomn* schlaflos* apnea
    apnoe* endometri* pcos sopk alopec* transplant* organdon* blooddon* hiv *hivaids* vih aids sida sti std mst
    herpes syphil* sifil* gonorr* chlamyd* clamid* tubercul* tuberkul* malaria paludis* ebola mpox monkeypox flu
    influenza grippe gripe fieber fievre fiebre febbre *virus corona* *covid* sarscov* pandem* *pandemi* epidemi*
    lockdown* confinement quarantin* infect* infekt* infecc* infez* bacterial* *vaccin* vacun* vacin* impf*
    *impfung* vax* *vaxx* antivax* antibiot* ozempic* ritalin* adderall* prozac* xanax* viagra* ibuprofen*
    doliprane* steroid* testoster* estrogen* oestrog* *hormon* painkiller* *chronicpain* backpain* douleur* schmerz*
    *schmerzen dolor dolore dolores hypochond* homeopath* homoopath* naturopath* acupunct* akupunkt* *therap* terap*
    *terapia* rehab* reha mental* psych* psico* psiqu* psichi* psikolog* *depressi* antidepress* depres* anxi*
    *anxiety* ansieda* ansios* ansia angoiss* angst angststor* bipolar* schizo* esquizo* autis* *autism* *autist*
    aspie* asperger* *adhd* tdah adhs ocd ptsd sspt bpd borderline* narcissis* *neurodiv* dyslex* dislex* dyspra*
    tourette* *trauma* burnout* stress stressed stressful antistress panic* panik* paniq* *phobi* fobia* *suicid*
    suizid* selbstmord* *selfharm* selfinjur* automutil* autoles* anorex* bulim* eatingdis* essstor* obes*
    overweight* surpoids* ubergewicht* adipos* *weightloss* perdredupoids abnehmen pertedepoids adelgaz* dimagr*
    emagrec* bodyposit* grief* bereave* deuil trauer trauern* selfcare addict* *addict *addiction* *sucht suchtig*
    suechtig* adicci* adicto* dipendenz* dependenci* alcohol* *alcoholi* alcool* alkohol* *sober* sobri* nuchtern*
    drug* drogue* droga* drogen* opioid* opiac* heroin heroina cocain* kokain* meth methadon* cannab* *cannabis*
    marij* weed 420 hashish* haschisch* thc cbd ketamin* mdma smoking smoker* quitsmok* stopsmok* tabac* tabak*
    nicotin* nikotin* vape* vaping gambl* ludopat* *pregnan* grossesse* enceinte* embaraz* *schwanger* gravid*
    incinta incinte ivf fiv pma gpa procreation* fertil* infertil* sterilit* steriliz* miscarr* faussecouche*
    fehlgeburt* abort* *abortion* *aborto* *avort* ivg *abtreib* birthcontrol* *birth childbirth* accouch* naissance
    parto geburt geburts* hebamme* midwif* sagefemme* doula* postpart* breastfe* allaite* stillen lactanc* lactat*
    allattam* contracep* kontrazep* verhutung* anticoncep* pill pilule* pille pildora* pillola menopaus* menstru*
    periodpain* periodpov* wechseljahr* stillb* babyloss* disab* *disabilit* *disabled* *handicap* discapac*
    minusvali* behinder* *behindert* invalid* wheelchair* fauteuilroul* rollstuhl* silladeruedas blind blindness*
    aveugle* ciego* cieco ciechi deaf* sourd sourde* surdit* gehorlos* sordo sorda amput* prosth* prothes*
    hearingaid* paraly* paraplega* paraplegi* tetrapleg* downsyndr* trisom* musculardyst* dystroph* specialneeds
    spoonie* invisibleill* bloodtype longhaul* terminalill* hospice* palliativ* euthana* eutana* sterbehilfe*

    *itis *osis *emia *anamie *pathy *pathie *patia *ectomy *ectomie *algia *algie *plegia *plegie *blastom*
    *sarcom* *oscopy *oscopie *dysmorph* glioblast* hodgkin* insuffisance* sarcoid* lyme mononucl* measles masern
    rougeole rubeol* polio* tetanos tetanus vitiligo lipoed* lipodem* lymph* endowarrior* pmdd adenomyos* ovarian*
    ovair* csection* caesarean* cesarien* cesarea* kaiserschnitt* sevrage* lexomil valium methylphenid* concerta
    lithium nameeting* binge* thinspo* proana* promia didsystem* plurality stutter* stotter* begaie* spinabif*
    mssociety* guidedog* signlanguage* *languedessignes* gebardensprache* gebaerdensprache* asl bsl lsf cochlear*
    audhd gifted* gastroent* gastrit* urolog* gynec* gynaec* gynak* ginecol* dermatol* ophthal* ophtal* orthoped*
    orthopaed* pediatri* paediatr* neuro* cerebr* hemorr* haemorr* hernia* hernie* ulcer* cyst cysts polyp polyps
    prostat* uterus fibroid* mammogr* vagin* cervical* papsmear* hpv rsv strep pneumon* bronch* mucovisc* thrombos*
    aneurysm* anevrism* arrhythm* arythm* pacemaker* stent glucose* hospiz* caregiver* carer carers aidant aidants
    detox* bmi nephr* hepat* cirrhos* zirrhos* gicht varic* lipo liposuc* botox* facelift* bariatr* nanis* dwarfism*
    albinis* prematur* fruhchen* *lossmom* griev* widow* veuf veuve orthophon* logopad* logoped* ergother*
    kurklinik* rezeptpfl* ordonnance* prescription* overeater* dermatit* rosacea* *intoler*

    dengue zika cholera plague leprosy lepra scabies shingles zona gurtelrose* heuschnupf* hayfever* pollenall*
    anaphyla* epipen* nutfree* lactose laktose ibd gallstone* appendic* tonsil* uti utis vulvo* pessary iud sterilet
    mirena morningafter* planb eggfreez* surroga* ttcjourney* clomid hyperem* preeclamp* nicu preemie* colic sids
    dnr assisteddying* mourning dpdr dissociat* ssri ssris sertralin* lexapro antipsychot* inpatient* crisisline*
    nofap* dryjanuary* dysautonom*
"""

SEXUALITY = """
    transjoy* translove* marica maricas streetday wlw femdom throuple* demigirl* demiboy* theythem pronouns allyship
    yaoi yuri boyslove* girlslove* shibari* tantra tantric* dysphori* detransition* hrt topsurgery* bottomsurgery*
    monogam* nonmonogam* cuckold* voyeur* exhibitionis* camgirl* sugardadd* sugarbab*

    lgb* *lgbt* *lgbq* *lgtb* gay* *gay *gays *gaypride* lesb* *lesbian* *lesbienn* *lesbisch* *homosex* homossex*
    omosess* homosess* homo homophob* homofob* omofob* hetero* eterosess* *bisex* bisess* bissex* bivisib* pansex*
    asexu* aroace aromantic* demisex* *queer* *2slgb* twospirit* *transgen* transsex* transex* transess* trans
    transright* transwom* transman transmen transmasc* transfem* transfrau* transmann* transpers* transkid*
    transyouth* transteen* translive* transphob* transfob* transident* *transpride* *protecttrans* travest*
    *dragqueen* dragking* dragshow* dragrace rupaul* crossdress* nonbin* *nonbinary* *nonbinair* *nobinari*
    nichtbinar* enby *gender* identitedegenre identidaddegen* ideologiadegen* generofluid* geschlecht* *intersex*
    cisgen* cishet* twink butch dyke dykes faggot* *schwul* pede gouine* maricon* viado *sapphic* pride* *pride
    fierte fiertes marchedesfiert* orgullo* orgulho* christopherstreet* csd *comingout* loveislove* lovewins*
    *marriageequal* equalmarriage* mariagepourtous* matrimonioigual* ehefur* *samesex* rainbowflag* rainbowfam*
    regenbogenfam* sex* *sex *sexual* *sexuel* *sexy* *sexo sesso *sessual* *sexeduc* *safesex* *sexwork* erot*
    *erotic* *porn* xxx nsfw onlyfans* nude nudes nudis* naturis* fkk kink kinky kinks *bdsm* *fetish* fetich*
    fetisch* swinger* libertin* *polyam* poliam* hookup* grindr* milf hentai* escort* prostitu* stripper* stripclub*
    masturb* orgasm* libido condom* kondom* preservativ* virginity* dildo* vibrator* onenightst* thot incest*
    pedophil* paedophil* rape rapist*

    bearcommunity* leatherdad* leathermen dragbrunch* ballroomcult* vogueing voguing ftm mtf neopronoun* boylove*
    bldrama* thaibl slashfic* smut* spicybook* openrelation* burlesque* lingerie* playboy* camboy* virgin virgins
    celiba* chastity* abstinen* hotwife* threesome* squirt* boobs tits milfs daddykink* furry furries polycul*
    demiromant* pronoun neutrois androgyn*

    bearweek* folsom femme4femme goldstarles* eggirl deadnam* terf terfs cis stonewall section28* clause28*
"""

ORIGIN_AND_UNIONS = """
    blackcreat* blackart* blackfamil* blacklov* *asianhate* romarights unionstrong* unionbust* unionyes arbeiterk*
    workersright* droitsdutrav* *ethnic* ethnie* etnic* etnia* ethnisch* *racial* *racis* *rassis* razzis* antirac*
    raciz* *supremac* blackgirl* blackwom* blackmen* blackman* blackboy* blackown* blackbus* blackexcel* blackhist*
    blackcult* blackhair* blacktwitter blackpower* blackpanther* *blacklives* blackfem* blackking* blackqueen*
    blackmag* blm whitepow* whitepriv* whitelives* whitegenoc* whitepeople africanamer* afro* *afroamer* asianamer*
    aapi latinx* latino* latina* hispan* chican* poc bipoc bame melanin* mixedrace* romani gypsy* gypsies tzigan*
    tsigan* gitan* zigeun* sinti sintiund* *indigen* autochton* aborig* firstnation* nativeamer* maori* inuit* metis
    metisse* kurd* uyghur* uighur* ouighour* uigur* rohing* tibet* berber* amazigh* tamazight* kabyl* arab arabs
    arabe* arabi* maghreb* beur diaspora* negr* nigga* caste dalit* brahmin* desi slaver* esclav* sklaver* colorism*
    colouris* antisem* *antisemit* holocaust* holokaust* shoah* goy xenophob* xenofob* *tradeunion* laborunion*
    labourunion* unionis* unioniz* syndicat* syndiqu* syndicalis* gewerksch* *gewerkschaft* sindicat* sindacat*
    sindacal* cgt cfdt cftc cfecgc ugt ccoo cgil cisl uil igmetall dgb betriebsrat* strike onstrike railstrike*
    generalstrike* greve* streik* *streik huelg* scioper* picketline*

    blackjoy* blackcommun* blackpeople* blackmusic* sami mestiz* unionrep* unionmem* tarifrund* tarifvertr*
    tarifstreit* debrayage* gensduvoyage* ethno* mulat* racemix* antirom* antizig* islamoph* shopsteward*
    delegationsynd* comitedentr*

    teamster* uaw tuc unitetheunion* intersyndic* verditarif* verdistreik*
"""

HARMLESS = """
    sextant sextants sextet sextets sextett sexton essex sussex wessex middlesex unisex godzilla godfather
    godfathers godmother godard goddard godot gododdin christchurch christopher christine christina christie
    christophe easterner eastern easterns sabbatical madras selection selections preselection selectionneur auswahl
    pivote devote trumpet trumpets trumpeter nazionale nazionali hospitality nursery nurseries birthday birthdays
    geburtstag geburtstage drugstore drugstores fertilizer fertilizers fertiliser fertilisers chronicle chronicles
    rehearsal patience paganini afrobeat afrobeats afrohouse arabica arabesque negroni negronis peroni conservation
    conservatoire conservatory pastoral pastorale impressionism

    tourism tourisme turismo tourismus impressionnisme impressionismo expressionism minimalism minimalisme
    minimalismo minimalismus surrealism surrealisme journalism journalisme giornalismo periodismo jornalismo
    modernism modernisme modernismo cubism brutalism realism realisme futurism cyclisme ciclismo cyclotourisme
    agritourisme agriturismo alpinisme alpinismo alpinismus athletisme atletismo automobilisme automobilismo
    montanismo motociclismo paracaidismo parachutisme excursionismo escursionismo urbanism urbanisme urbanismo
    volunteerism prism algorithm graphisme grafismo mechanism organism lyrisme hypnosis osmosis metamorphosis
    bohemia academia nostalgia nostalgie empathy microscopy spectroscopy microscopie sismo turismi ecotourism
    ecotourisme oenotourisme enoturismo culturismo
"""
"""Words that begin or end like sensitive ones and are about something else: they are taken out before matching."""

AREAS = {
    "religion": RELIGION,
    "politics": POLITICS,
    "health": HEALTH,
    "sexuality": SEXUALITY,
    "origin and unions": ORIGIN_AND_UNIONS,
}
"""The lexicon by area. Add words where they belong; the order within an area does not matter."""


def _stems(text: str) -> tuple[frozenset[str], tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Sort the entries of the lexicon by where their stars are: whole words, beginnings, ends, and what is anywhere."""
    entries = sorted(set(text.split()))

    def stems(*stars: bool) -> tuple[str, ...]:
        return tuple(one.strip("*") for one in entries if (one.startswith("*"), one.endswith("*")) == stars)

    return frozenset(stems(False, False)), stems(False, True), stems(True, False), stems(True, True)


WHOLE, STARTS, ENDS, INSIDE = _stems(" ".join(AREAS.values()))
HARMLESS_WORDS = frozenset(HARMLESS.split())

PUNCTUATION = frozenset("'’‘`´-‐‑–—_.,:;!?&+/\\#()\"«»“”·•|*%°=")
"""What may stand in a topic beside Latin letters, digits and spaces. Other signs may carry a meaning of their own."""

_BESIDE_ASCII = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h", "ŋ": "n"}
)
"""Latin letters that are no letter with an accent."""

_LOOK_ALIKES = str.maketrans("013457", "oieast")
"""Digits that stand for letters, as in `s3x`."""

_CAMEL = re.compile(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])|(?<=[A-Z])(?=[A-Z][a-z])")
_POSSESSIVE = re.compile(r"['’´`]s\b")
_RUN = re.compile(r"[a-z0-9]+")
_LETTERS = re.compile(r"[a-z]+")


def may_be_named(topic: str) -> bool:
    """Say whether a topic may stand in the label of a community: it is readable, and nothing sensitive is meant by it.

    Readable is what the lexicon can be asked about: at most LONGEST characters, at least one letter, and nothing but
    Latin letters, digits, spaces and PUNCTUATION; so no other script and no emoji.
    """
    return _readable(topic) and not is_sensitive(topic)


def _readable(topic: str) -> bool:
    if len(topic) > LONGEST or not topic.isprintable():
        return False
    plain = [one for one in unicodedata.normalize("NFKD", topic) if not unicodedata.combining(one)]
    letters = [one for one in plain if one.isalpha()]
    others = (one for one in plain if not one.isalpha())
    return (
        bool(letters)
        and all(unicodedata.name(one, "").startswith("LATIN ") for one in letters)
        and all(one in PUNCTUATION or one == " " or "0" <= one <= "9" for one in others)
    )


def is_sensitive(topic: str) -> bool:
    """Say whether the lexicon finds something sensitive in a topic that is written in Latin letters.

    Asked are its words (hashtags are split at capitals, digits and signs) and any of them that follow each other, run
    together: once as it is written, once without digits, once with digits read as the letters that they look like.
    """
    text = _folded(_CAMEL.sub(" ", unicodedata.normalize("NFKC", topic)))
    text = _POSSESSIVE.sub("", text)
    readings = (_RUN.findall(text), _LETTERS.findall(text), _RUN.findall(text.translate(_LOOK_ALIKES)))
    return any(_found_in([word for word in words if word not in HARMLESS_WORDS]) for words in readings)


def _found_in(words: list[str]) -> bool:
    runs = ("".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, len(words) + 1))
    return any(
        run in WHOLE or (run.endswith("s") and run[:-1] in WHOLE) or run.startswith(STARTS) or run.endswith(ENDS)
        for run in runs
    ) or any(stem in "".join(words) for stem in INSIDE)


def _folded(text: str) -> str:
    """Lower case without accents, in ASCII as far as there are Latin letters for it."""
    folded = unicodedata.normalize("NFKD", text.casefold().translate(_BESIDE_ASCII))
    return "".join(one for one in folded if not unicodedata.combining(one))
